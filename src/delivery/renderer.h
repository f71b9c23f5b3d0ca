// SPDX-License-Identifier: Apache-2.0
// Renderer: the walk's port to the worker pool, so that the simulation can render without
// processes.
#pragma once

#include "base/async.h"
#include "base/result.h"
#include "worker/pool.h"

namespace tintype {

class Renderer {
 public:
  virtual ~Renderer() = default;
  virtual Task<Result<RenderedVariant>> render(RenderJob job) = 0;
};

// The real one.
class PoolRenderer final : public Renderer {
 public:
  explicit PoolRenderer(WorkerPool& pool) : pool_(pool) {}
  Task<Result<RenderedVariant>> render(RenderJob job) override {
    return pool_.render(std::move(job));
  }

 private:
  WorkerPool& pool_;
};

}  // namespace tintype

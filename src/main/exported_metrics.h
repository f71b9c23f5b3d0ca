// SPDX-License-Identifier: Apache-2.0
// The numbers that are read when somebody asks for /_/metrics: what the parts of a running service
// say of themselves. One place, so that dashboards and docs/operating/telemetry.md can be held
// against it. Called once, before serving; the parts outlive the Metrics.
#pragma once

#include "cache/disk_tier.h"
#include "cache/memory_tier.h"
#include "delivery/hook_desk.h"
#include "delivery/warm_queue.h"
#include "main/backends.h"
#include "telemetry/metrics.h"
#include "worker/pool.h"

namespace tintype {

struct ExportedParts {
  const WorkerPool& pool;
  const MemoryTier& memory;
  const DiskTier* disk = nullptr;  // null: there is none
  Backends& backends;
};

void export_metrics(Metrics& metrics, const ExportedParts& parts);
void export_hooks(Metrics& metrics, const HookDesk& desk, const WarmQueue& warm);

}  // namespace tintype

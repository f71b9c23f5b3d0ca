// SPDX-License-Identifier: Apache-2.0
// VariantStore: the port to where finished variants stand for everybody: the bucket that the edge
// asks before it asks us. An object's key is the canonical path, byte for byte. Whatever fails here
// costs a later render, never an answer. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace tintype {

struct StoredVariant {
  std::string key;  // the canonical path, "/shop/p/a.jpg/_/w-400.webp"
  SharedBytes bytes;
  std::string media_type, cache_control;
  std::string etag;  // our own strong tag, kept as metadata
  // Cache tags, joined by spaces; empty: none.
  std::string tags;
  std::int64_t stored_unix_seconds = 0, fresh_until_unix_seconds = 0, max_age_seconds = 0;
  // When this process had it ready to be written, so that a purge is known to have come before or
  // after; not stored, and zero of what was read.
  Steady offered_at{};
};

class VariantStore {
 public:
  virtual ~VariantStore() = default;

  enum class Kept : std::uint8_t {
    New,
    AlreadyThere,  // somebody else rendered the same: one render too many, counted
  };
  // `replace`: writes over what is there (the dense encode does) instead of leaving it.
  virtual Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) = 0;
  // Null when absent.
  virtual Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key,
                                                                 Deadline deadline) = 0;
  // Keys that begin with `prefix`, in order, at most 1,000; those after `after` when it is not
  // empty. Fewer than 1,000 mean the end.
  virtual Task<Result<std::vector<std::string>>> list(std::string prefix, std::string after,
                                                      Deadline deadline) = 0;
  // Absent keys are no failure. At most 1,000. On failure some may be gone.
  virtual Task<Result<>> remove(std::vector<std::string> keys, Deadline deadline) = 0;
};

// In memory, for tests.
class MemoryVariantStore final : public VariantStore {
 public:
  Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) override;
  Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key,
                                                         Deadline deadline) override;
  Task<Result<std::vector<std::string>>> list(std::string prefix, std::string after,
                                              Deadline deadline) override;
  Task<Result<>> remove(std::vector<std::string> keys, Deadline deadline) override;

  // From now on each call fails with this code; nullopt: works again.
  void fail_with(std::optional<ErrorCode> code);
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const StoredVariant>> objects_;
  std::optional<ErrorCode> fault_;
};

}  // namespace tintype

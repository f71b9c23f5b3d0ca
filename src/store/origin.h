// SPDX-License-Identifier: Apache-2.0
// Origin: the port to where sources are. One object per site, made from its OriginRule.
// Thread-safe. Walk: on a miss, at the same time as the look for a newer policy. Whole sources,
// held in memory; one that is short, or changed while it was read, is never given.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace tintype {

struct Source {
  SharedBytes bytes;
  std::int64_t modified_unix_seconds = 0;  // 0: unknown
  std::string etag;                        // the origin's, as it gave it; empty: unknown
  std::string tags;  // cache tags that the origin names, joined by spaces; empty: none
};

// What an origin said of a source that somebody holds.
struct SourceVersion {
  std::string etag;
  std::int64_t modified_unix_seconds = 0;
};

class Origin {
 public:
  virtual ~Origin() = default;

  // The whole source. `path` is decoded, relative, without "." or "..". Fails with NotFound,
  // Forbidden (the origin says so), TooLarge (above the rule's max_source_bytes), OriginFailed,
  // Timeout.
  virtual Task<Result<Source>> fetch(std::string path, Deadline deadline) = 0;

  // As fetch, but asks the origin itself, whatever a cache before it holds, and gives nothing when
  // the source is still the `known` version. An origin that cannot tell gives the whole source;
  // with nothing known every origin does.
  virtual Task<Result<std::optional<Source>>> fetch_if_changed(std::string path,
                                                               SourceVersion known,
                                                               Deadline deadline);

  // Paths of pictures, sorted, at most `limit`; for the studio's list. Fails with Unsupported where
  // the origin cannot be listed.
  virtual Task<Result<std::vector<std::string>>> list(std::size_t limit);
};

// In memory, for tests and the simulation; counts fetches and fails on request.
class MemoryOrigin final : public Origin {
 public:
  void put(std::string path, Bytes bytes, std::int64_t modified_unix_seconds = 0);
  void remove(const std::string& path);
  // With it, fetch_if_changed can tell; without, it gives the whole source.
  void set_etag(const std::string& path, std::string etag);
  // From now on each fetch fails with this code; nullopt: answers again.
  void fail_with(std::optional<ErrorCode> code);
  // Each fetch takes this long.
  void delay(Milliseconds duration);
  int fetches() const;  // those that gave nothing new included

  MemoryOrigin();
  ~MemoryOrigin() override;
  Task<Result<Source>> fetch(std::string path, Deadline deadline) override;
  Task<Result<std::optional<Source>>> fetch_if_changed(std::string path, SourceVersion known,
                                                       Deadline deadline) override;
  Task<Result<std::vector<std::string>>> list(std::size_t limit) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "store/origin.h"

namespace tintype {

struct MemoryOrigin::State {
  mutable std::mutex mutex;
  std::map<std::string, Source> sources;
  std::optional<ErrorCode> failure;
  Milliseconds delay{0};
  int fetches = 0;

  // Counts the fetch; how long it is to take.
  Milliseconds begin() {
    std::lock_guard lock(mutex);
    ++fetches;
    return delay;
  }
  Result<Source> find(const std::string& path) const {
    std::lock_guard lock(mutex);
    if (failure) return fail_private(*failure, "memory origin told to fail: " + path);
    auto found = sources.find(path);
    if (found == sources.end()) return fail_private(ErrorCode::NotFound, "no source " + path);
    return found->second;
  }
};

MemoryOrigin::MemoryOrigin() : state_(std::make_unique<State>()) {}
MemoryOrigin::~MemoryOrigin() = default;

void MemoryOrigin::put(std::string path, Bytes bytes, std::int64_t modified_unix_seconds) {
  Source source{share(std::move(bytes)), modified_unix_seconds, {}, {}};
  std::lock_guard lock(state_->mutex);
  state_->sources[std::move(path)] = std::move(source);
}

void MemoryOrigin::remove(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  state_->sources.erase(path);
}

void MemoryOrigin::set_etag(const std::string& path, std::string etag) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->sources.find(path);
  CHECK(found != state_->sources.end());
  found->second.etag = std::move(etag);
}

void MemoryOrigin::fail_with(std::optional<ErrorCode> code) {
  std::lock_guard lock(state_->mutex);
  state_->failure = code;
}

void MemoryOrigin::delay(Milliseconds duration) {
  std::lock_guard lock(state_->mutex);
  state_->delay = duration;
}

int MemoryOrigin::fetches() const {
  std::lock_guard lock(state_->mutex);
  return state_->fetches;
}

Task<Result<Source>> MemoryOrigin::fetch(std::string path, Deadline /*deadline*/) {
  Milliseconds duration = state_->begin();
  if (duration.count() > 0) co_await sleep_for(duration);
  co_return state_->find(path);
}

Task<Result<std::optional<Source>>> MemoryOrigin::fetch_if_changed(std::string path,
                                                                   SourceVersion known,
                                                                   Deadline deadline) {
  CO_TRY(Source source, co_await fetch(std::move(path), deadline));
  bool is_known = !source.etag.empty() && source.etag == known.etag;
  if (is_known) co_return std::optional<Source>();
  co_return std::optional<Source>(std::move(source));
}

Task<Result<std::vector<std::string>>> MemoryOrigin::list(std::size_t limit) {
  std::vector<std::string> paths;
  std::lock_guard lock(state_->mutex);
  for (const auto& [path, source] : state_->sources) {
    if (paths.size() == limit) break;
    paths.push_back(path);
  }
  co_return paths;
}

}  // namespace tintype

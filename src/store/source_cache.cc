// SPDX-License-Identifier: Apache-2.0
#include "store/source_cache.h"

#include <algorithm>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "store/source_folder.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// Sources that wait to be written, in memory: a disk that hangs must not collect them.
constexpr std::int64_t kMaxPendingBytes = 128'000'000;

// The origin said nothing about the source.
bool says_nothing(const Error& error) {
  return error.code == ErrorCode::OriginFailed || error.code == ErrorCode::Timeout ||
         error.code == ErrorCode::Busy || error.code == ErrorCode::Internal;
}

std::string name_of(const SourceCache::Place& place, const std::string& path) {
  std::string text = place.site + '\0' + place.identity + '\0' + path;
  return hex(sha256(view_of(text)));
}

struct Held {
  std::string name, site, path;
  SourceVersion version;
  std::int64_t checked_unix_seconds = 0, file_bytes = 0;
};

}  // namespace

// The index says what is on disk; it is changed only by who holds `disk_mutex`, on the pool, so
// that a source that is removed cannot come back by a rename that was under way.
struct SourceCache::State : std::enable_shared_from_this<State> {
  State(const SourceCacheSettings& s, std::unique_ptr<SourceFolder> f, asio::thread_pool& pool,
        const Clock& c)
      : settings(s), folder(std::move(f)), blocking(pool), clock(c) {}

  void load();
  std::optional<Held> find(const std::string& name);
  std::uint64_t epoch() const;
  Task<std::optional<Source>> read(Held held, Deadline deadline);
  void vouch(const std::string& name);
  void keep(Held held, const Source& source, std::uint64_t begun_at);
  void forget(const std::string& name);
  std::uint64_t remove(const std::string& site, const std::string& prefix);
  void count(std::uint64_t Counts::*which);

  // Below here: on the pool, with disk_mutex held.
  void write(Held held, const Source& source, std::uint64_t begun_at);
  void insert(Held held);
  void erase(const std::string& name);
  void make_room();

  const SourceCacheSettings settings;
  const std::unique_ptr<SourceFolder> folder;
  asio::thread_pool& blocking;
  const Clock& clock;

  std::mutex disk_mutex;  // taken before `mutex`, never on an event loop

  mutable std::mutex mutex;  // of all below; never held during disk work
  std::list<Held> recent;    // the least recently used last
  std::unordered_map<std::string, std::list<Held>::iterator> by_name;
  std::uint64_t purges = 0;
  std::int64_t pending_bytes = 0;
  Counts counts;
};

void SourceCache::State::load() {
  auto found = folder->scan();
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.used_unix_seconds < b.used_unix_seconds;
  });
  for (SourceFolder::Found& file : found) {
    insert({std::move(file.name), std::move(file.record.site), std::move(file.record.path),
            std::move(file.record.version), file.checked_unix_seconds, file.file_bytes});
  }
  make_room();
}

// Used, when it is there.
std::optional<Held> SourceCache::State::find(const std::string& name) {
  const std::scoped_lock lock(mutex);
  auto found = by_name.find(name);
  if (found == by_name.end()) return std::nullopt;
  recent.splice(recent.begin(), recent, found->second);
  return *found->second;
}

std::uint64_t SourceCache::State::epoch() const {
  const std::scoped_lock lock(mutex);
  return purges;
}

void SourceCache::State::count(std::uint64_t Counts::*which) {
  const std::scoped_lock lock(mutex);
  ++(counts.*which);
}

// Nothing when the file is gone or damaged, or the disk too slow: there is still the origin.
Task<std::optional<Source>> SourceCache::State::read(Held held, Deadline deadline) {
  auto self = shared_from_this();
  auto work = [self, name = held.name] {
    return self->folder->read(name, self->clock.unix_seconds());
  };
  constexpr Milliseconds kPatience{2'000};  // 50 MB at 25 MB/s
  auto patience = std::min<std::chrono::nanoseconds>(deadline.remaining(clock) / 2, kPatience);
  auto got = co_await run_on_within(blocking, patience, std::move(work));
  if (got && *got) co_return std::move(**got);
  if (got) {
    log(LogLevel::Warn, "source_cache.lost",
        {{"site", held.site}, {"path", held.path}, {"reason", got->error().message}});
    forget(held.name);
  }
  co_return std::nullopt;
}

void SourceCache::State::vouch(const std::string& name) {
  std::int64_t now = clock.unix_seconds();
  {
    const std::scoped_lock lock(mutex);
    auto found = by_name.find(name);
    if (found == by_name.end()) return;
    found->second->checked_unix_seconds = now;
  }
  asio::post(blocking, [self = shared_from_this(), name, now] { self->folder->touch(name, now); });
}

// Behind the answer.
void SourceCache::State::keep(Held held, const Source& source, std::uint64_t begun_at) {
  auto size_bytes = static_cast<std::int64_t>(source.bytes->size());
  {
    const std::scoped_lock lock(mutex);
    bool fits = pending_bytes + size_bytes <= kMaxPendingBytes || pending_bytes == 0;
    if (!fits || size_bytes > settings.capacity_bytes) {
      ++counts.failed_writes;
      return;
    }
    pending_bytes += size_bytes;
  }
  asio::post(blocking, [self = shared_from_this(), held = std::move(held), source, begun_at,
                        size_bytes]() mutable {
    self->write(std::move(held), source, begun_at);
    const std::scoped_lock lock(self->mutex);
    self->pending_bytes -= size_bytes;
  });
}

void SourceCache::State::write(Held held, const Source& source, std::uint64_t begun_at) {
  SourceRecord record{held.site, held.path, held.version, source.tags};
  auto written = folder->write(record, *source.bytes, held.checked_unix_seconds);
  if (!written) {
    log(LogLevel::Warn, "source_cache.failed", {{"reason", written.error().message}});
    return count(&Counts::failed_writes);
  }
  const std::scoped_lock lock(disk_mutex);
  // What was fetched before a purge may be what the purge was for.
  if (epoch() != begun_at) return folder->discard(written->temporary);
  if (!folder->publish(written->temporary, held.name)) return count(&Counts::failed_writes);
  held.file_bytes = written->file_bytes;
  insert(std::move(held));
  make_room();
}

void SourceCache::State::insert(Held held) {
  const std::scoped_lock lock(mutex);
  auto old = by_name.find(held.name);
  if (old != by_name.end()) {
    counts.bytes -= old->second->file_bytes;
    recent.erase(old->second);
    by_name.erase(old);
  }
  counts.bytes += held.file_bytes;
  recent.push_front(std::move(held));
  by_name[recent.front().name] = recent.begin();
}

void SourceCache::State::erase(const std::string& name) {
  {
    const std::scoped_lock lock(mutex);
    auto found = by_name.find(name);
    if (found == by_name.end()) return;
    counts.bytes -= found->second->file_bytes;
    recent.erase(found->second);
    by_name.erase(found);
  }
  folder->remove(name);
}

void SourceCache::State::make_room() {
  for (;;) {
    std::string last;
    {
      const std::scoped_lock lock(mutex);
      if (counts.bytes <= settings.capacity_bytes) return;
      last = recent.back().name;
      ++counts.evicted;
    }
    erase(last);
  }
}

void SourceCache::State::forget(const std::string& name) {
  asio::post(blocking, [self = shared_from_this(), name] {
    const std::scoped_lock lock(self->disk_mutex);
    self->erase(name);
  });
}

std::uint64_t SourceCache::State::remove(const std::string& site, const std::string& prefix) {
  const std::scoped_lock lock(disk_mutex);
  std::vector<std::string> names;
  {
    const std::scoped_lock index_lock(mutex);
    ++purges;
    for (const Held& held : recent) {
      if (held.site == site && held.path.starts_with(prefix)) names.push_back(held.name);
    }
  }
  for (const std::string& name : names) erase(name);
  return names.size();
}

class SourceCache::CachedOrigin final : public Origin {
 public:
  CachedOrigin(std::shared_ptr<State> state, std::shared_ptr<Origin> origin, Place place)
      : state_(std::move(state)), origin_(std::move(origin)), place_(std::move(place)) {}

  Task<Result<Source>> fetch(std::string path, Deadline deadline) override {
    std::string name = name_of(place_, path);
    auto held = state_->find(name);
    if (held && age_of(*held) < place_.fresh_for.count()) {
      if (auto source = co_await state_->read(*held, deadline)) {
        state_->count(&Counts::hits);
        co_return std::move(*source);
      }
      held.reset();
    }
    co_return co_await ask(std::move(path), std::move(held), deadline, true);
  }

  Task<Result<std::optional<Source>>> fetch_if_changed(std::string path, SourceVersion known,
                                                       Deadline deadline) override {
    auto held = state_->find(name_of(place_, path));
    // Who asks so knows of a newer version: an older one is no answer.
    CO_TRY(Source source, co_await ask(std::move(path), std::move(held), deadline, false));
    bool is_known = !known.etag.empty() && source.etag == known.etag;
    if (is_known) co_return std::optional<Source>();
    co_return std::optional<Source>(std::move(source));
  }

  Task<Result<std::vector<std::string>>> list(std::size_t limit) override {
    co_return co_await origin_->list(limit);
  }

 private:
  // Since the origin vouched for it, in seconds; a clock that was set back makes it old.
  std::int64_t age_of(const Held& held) const {
    std::int64_t age = state_->clock.unix_seconds() - held.checked_unix_seconds;
    return age >= 0 ? age : std::numeric_limits<std::int64_t>::max();
  }

  // The origin's word, or where it may be stale what is held while it has none.
  Task<Result<Source>> ask(std::string path, std::optional<Held> held, Deadline deadline,
                           bool may_be_stale) {
    std::uint64_t begun_at = state_->epoch();
    auto got = co_await fetch_newer(path, held, deadline);
    if (may_be_stale && !got && held && says_nothing(got.error())) {
      if (auto stale = co_await read_stale(*held, got.error(), deadline)) {
        co_return std::move(*stale);
      }
    }
    if (!got) {
      // Forbidden may be our own key's fault: not given, but not thrown away either.
      bool is_gone = !says_nothing(got.error()) && got.error().code != ErrorCode::Forbidden;
      if (held && is_gone) state_->forget(held->name);
      co_return fail(std::move(got).error());
    }
    if (!*got) {
      if (auto source = co_await state_->read(*held, deadline)) {
        state_->vouch(held->name);
        state_->count(&Counts::revalidated);
        co_return std::move(*source);
      }
      CO_TRY(*got, co_await origin_->fetch(path, deadline));
    }
    Source source = std::move(**got);
    state_->count(&Counts::misses);
    state_->keep({name_of(place_, path),
                  place_.site,
                  path,
                  {source.etag, source.modified_unix_seconds},
                  state_->clock.unix_seconds(),
                  0},
                 source, begun_at);
    co_return source;
  }

  Task<Result<std::optional<Source>>> fetch_newer(std::string path, std::optional<Held> held,
                                                  Deadline deadline) {
    if (!held) {
      CO_TRY(Source source, co_await origin_->fetch(std::move(path), deadline));
      co_return std::optional<Source>(std::move(source));
    }
    // A quarter of the time stays for the disk, should the origin hang.
    auto now = state_->clock.now();
    Deadline own = deadline;
    if (deadline.at != Steady::max()) own.at = now + (deadline.at - now) / 4 * 3;
    co_return co_await origin_->fetch_if_changed(std::move(path), held->version, own);
  }

  Task<std::optional<Source>> read_stale(Held held, Error fault, Deadline deadline) {
    auto longest = (place_.fresh_for + state_->settings.stale_for).count();
    if (age_of(held) >= longest) co_return std::nullopt;
    auto source = co_await state_->read(held, deadline);
    if (!source) co_return std::nullopt;
    state_->count(&Counts::stale);
    log(LogLevel::Warn, "source_cache.stale",
        {{"site", held.site}, {"path", held.path}, {"reason", fault.message}});
    co_return std::move(source);
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<Origin> origin_;
  Place place_;
};

Result<std::unique_ptr<SourceCache>> SourceCache::open(const SourceCacheSettings& settings,
                                                       asio::thread_pool& blocking,
                                                       const Clock& clock) {
  TRY(auto folder, SourceFolder::open(settings.folder));
  auto state = std::make_shared<State>(settings, std::move(folder), blocking, clock);
  state->load();
  return std::unique_ptr<SourceCache>(new SourceCache(std::move(state)));
}

SourceCache::SourceCache(std::shared_ptr<State> state) : state_(std::move(state)) {}
SourceCache::~SourceCache() = default;

std::shared_ptr<Origin> SourceCache::wrap(std::shared_ptr<Origin> origin, Place place) {
  return std::make_shared<CachedOrigin>(state_, std::move(origin), std::move(place));
}

Task<std::uint64_t> SourceCache::remove(std::string site, std::string prefix) {
  auto work = [state = state_, site = std::move(site), prefix = std::move(prefix)] {
    return state->remove(site, prefix);
  };
  asio::thread_pool& pool = state_->blocking;
  co_return co_await run_on(pool, std::move(work));
}

SourceCache::Counts SourceCache::counts() const {
  const std::scoped_lock lock(state_->mutex);
  Counts counts = state_->counts;
  counts.entries = state_->recent.size();
  return counts;
}

}  // namespace tintype

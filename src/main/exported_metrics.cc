// SPDX-License-Identifier: Apache-2.0
#include "main/exported_metrics.h"

#include <functional>
#include <string>
#include <utility>

namespace tintype {
namespace {

template <class Part>
auto state_of(const Part& part) {
  if constexpr (requires { part.state(); }) {
    return part.state();
  } else {
    return part.counts();
  }
}

// Adds series whose value is one field of a part's state() or counts(), read anew at each scrape.
template <class Part>
class Exporter {
 public:
  Exporter(Metrics& metrics, const Part& part) : metrics_(metrics), part_(part) {}

  template <class Field>
  void gauge(const char* name, const char* help, Field field) const {
    add(name, help, "gauge", field);
  }
  template <class Field>
  void counter(const char* name, const char* help, Field field) const {
    add(name, help, "counter", field);
  }

 private:
  template <class Field>
  void add(const char* name, const char* help, const char* kind, Field field) const {
    metrics_.read_at_scrape(std::string("tintype_") + name, help, kind,
                            [&part = part_, field] { return double(state_of(part).*field); });
  }

  Metrics& metrics_;
  const Part& part_;
};

void export_pool(const Exporter<WorkerPool>& pool) {
  pool.gauge("workers", "Render processes alive.", &PoolState::workers);
  pool.gauge("workers_busy", "Render processes at work.", &PoolState::busy);
  pool.gauge("queue_jobs", "Renders waiting for a worker.", &PoolState::queued);
  pool.gauge("queue_weight", "Megapixel-weights waiting or running.", &PoolState::queued_weight);
  pool.gauge("queue_bytes", "Peak bytes of pixels waiting or running.", &PoolState::queued_bytes);
  pool.counter("renders_total", "Renders finished.", &PoolState::rendered);
  pool.counter("renders_failed_total", "Renders that failed.", &PoolState::failed);
  pool.counter("renders_refused_total", "Renders refused by admission.", &PoolState::refused);
  pool.counter("worker_kills_total", "Workers killed at a deadline.", &PoolState::killed);
  pool.counter("worker_crashes_total", "Workers that died on a source.", &PoolState::crashed);
  pool.counter("worker_recycles_total", "Workers replaced by age or size.", &PoolState::recycled);
  pool.counter("worker_spawns_total", "Workers started.", &PoolState::spawned);
}

void export_memory(const Exporter<MemoryTier>& memory) {
  memory.gauge("memory_cache_bytes", "Bytes in the memory tier.", &MemoryTierState::bytes);
  memory.gauge("memory_cache_entries", "Entries in the memory tier.", &MemoryTierState::entries);
  memory.counter("memory_cache_evictions_total", "Evicted.", &MemoryTierState::evicted);
}

void export_disk(const Exporter<DiskTier>& disk) {
  disk.gauge("disk_cache_bytes", "Bytes in the disk tier.", &DiskTierState::bytes);
  disk.gauge("disk_cache_entries", "Entries in the disk tier.", &DiskTierState::entries);
  disk.counter("disk_cache_evictions_total", "Evicted.", &DiskTierState::evicted);
  disk.counter("disk_cache_corrupt_total", "Damaged files removed.", &DiskTierState::corrupt);
  disk.counter("disk_cache_write_failures_total", "Failed writes.", &DiskTierState::write_failures);
}

void export_sources(const Exporter<SourceCache>& sources) {
  using Counts = SourceCache::Counts;
  sources.gauge("source_cache_bytes", "Bytes in the cache of sources.", &Counts::bytes);
  sources.gauge("source_cache_entries", "Sources in the cache.", &Counts::entries);
  sources.counter("source_cache_hits_total", "Sources given from it, fresh.", &Counts::hits);
  sources.counter("source_cache_revalidated_total", "Origins that said: unchanged.",
                  &Counts::revalidated);
  sources.counter("source_cache_misses_total", "Sources fetched whole.", &Counts::misses);
  sources.counter("source_cache_stale_total", "Given while the origin failed.", &Counts::stale);
  sources.counter("source_cache_evictions_total", "Evicted.", &Counts::evicted);
  sources.counter("source_cache_write_failures_total", "Failed writes.", &Counts::failed_writes);
}

void export_write_back(const Exporter<WriteBack>& queue) {
  using State = WriteBack::State;
  queue.gauge("write_back_queued", "Variants on their way to the store.", &State::queued);
  queue.gauge("write_back_bytes", "Bytes of them.", &State::bytes);
  queue.counter("write_back_written_total", "Variants written.", &State::written);
  queue.counter("write_back_duplicates_total",
                "Variants that another task had written: one render too many each.",
                &State::duplicates);
  queue.counter("write_back_dropped_total", "The queue was full.", &State::dropped);
  queue.counter("write_back_failed_total", "Given up after the second try.", &State::failed);
}

void export_aws(const Exporter<AwsClient>& aws) {
  using Counts = AwsClient::Counts;
  aws.counter("aws_calls_total", "Calls to AWS.", &Counts::calls);
  aws.counter("aws_retries_total", "Attempts beyond the first.", &Counts::retries);
  aws.counter("aws_throttled_total", "Answers that asked us to slow down.", &Counts::throttled);
}

}  // namespace

void export_metrics(Metrics& metrics, const ExportedParts& parts) {
  export_pool({metrics, parts.pool});
  export_memory({metrics, parts.memory});
  if (parts.disk != nullptr) export_disk({metrics, *parts.disk});
  if (parts.backends.sources() != nullptr) export_sources({metrics, *parts.backends.sources()});
  if (parts.backends.write_back() != nullptr) {
    export_write_back({metrics, *parts.backends.write_back()});
  }
  export_aws({metrics, parts.backends.aws()});
}

void export_hooks(Metrics& metrics, const HookDesk& desk, const WarmQueue& warm) {
  Exporter<HookDesk> hooks(metrics, desk);
  hooks.counter("hooks_obeyed_total", "Hooks whose pictures were purged.", &HookDeskState::obeyed);
  hooks.counter("hooks_ignored_total", "Hooks that named nothing of ours.",
                &HookDeskState::ignored);
  hooks.counter("hooks_seen_total", "Signed hooks that came again.", &HookDeskState::seen);
  hooks.counter("hooks_refused_total", "Hooks without a proof, or not to be understood.",
                &HookDeskState::refused);
  hooks.counter("hooks_failed_total", "Hooks whose purge failed.", &HookDeskState::failed);
  Exporter<WarmQueue> queue(metrics, warm);
  queue.gauge("warm_waiting", "Pictures whose standard variants wait to be made.",
              &WarmQueueState::waiting);
  queue.counter("warm_made_total", "Variants made for hooks, or there already.",
                &WarmQueueState::made);
  queue.counter("warm_failed_total", "Variants that could not be made.", &WarmQueueState::failed);
  queue.counter("warm_dropped_total", "Pictures that found no room in the queue.",
                &WarmQueueState::dropped);
}

}  // namespace tintype

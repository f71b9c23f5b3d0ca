// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <sstream>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sched.h>

#include "base/check.h"
#include "base/text.h"

namespace tintype {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Count = std::atomic<std::uint64_t>;

// Upper bounds of the histogram's buckets: a parse or a hit takes tens of microseconds, a render 10
// to 500 ms, a request's deadline is 20 s.
constexpr std::array<std::int64_t, 17> kBoundsUs = {
    50,     100,     250,     500,     1'000,     2'500,     5'000,     10'000,    25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

// Each but the first is cut into so many equal parts: then the middle of a part is at most 12.5 %
// away from what it stands for, as the widest bucket spans a factor of 2.5.
constexpr std::size_t kParts = 6;
static_assert(kPhaseBuckets == (kBoundsUs.size() - 1) * kParts + 2);

// The first fine bucket ends with the first coarse one, the last has no end.
constexpr std::array<std::int64_t, kPhaseBuckets - 1> kFineBoundsUs = [] {
  std::array<std::int64_t, kPhaseBuckets - 1> bounds{kBoundsUs[0]};
  std::size_t at = 1;
  for (std::size_t i = 1; i < kBoundsUs.size(); ++i) {
    std::int64_t below = kBoundsUs[i - 1], above = kBoundsUs[i];
    for (std::size_t part = 1; part <= kParts; ++part) {
      bounds[at++] = below + (above - below) * static_cast<std::int64_t>(part) /
                                 static_cast<std::int64_t>(kParts);
    }
  }
  return bounds;
}();

struct Histogram {
  std::array<Count, kPhaseBuckets> in_bucket{};
  Count sum_us{0};
};

// The numbers are striped by CPU: counting touches cache lines that other cores rarely write.
// A thread that moves to another core between two additions only changes which stripe it adds to.
struct alignas(64) Stripe {
  std::array<Count, kOutcomeCount> requests{};
  Count sent_bytes{0}, source_bytes{0}, variant_bytes{0};
  std::atomic<std::int64_t> connections{0};  // may be negative in one stripe; the sum is right
  std::array<Histogram, kPhaseCount> phases;
};
constexpr std::size_t kStripes = 16;

struct ScrapedSeries {
  std::string name, help;
  MetricType type;
  std::vector<ClientMetric::Label> labels;
  std::string full_name;  // labels included, as it was given
  std::function<double()> read;
};

std::uint64_t load(const Count& count) {
  return count.load(std::memory_order_relaxed);
}
void add(Count& count, std::uint64_t by) {
  count.fetch_add(by, std::memory_order_relaxed);
}

ClientMetric counter_sample(double value) {
  ClientMetric sample;
  sample.counter.value = value;
  return sample;
}

// `{tier="memory",kind="x"}` -> labels. Values hold no quotes or commas; a wrong text is our
// mistake.
std::vector<ClientMetric::Label> parse_labels(std::string_view text) {
  std::vector<ClientMetric::Label> labels;
  if (text.empty()) return labels;
  CHECK(text.starts_with('{') && text.ends_with('}'));
  for (std::string_view pair : split(text.substr(1, text.size() - 2), ',')) {
    std::size_t equals = pair.find("=\"");
    CHECK(equals != std::string_view::npos && pair.ends_with('"') && pair.size() >= equals + 3);
    labels.push_back({std::string(pair.substr(0, equals)),
                      std::string(pair.substr(equals + 2, pair.size() - equals - 3))});
  }
  return labels;
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::MemoryHit:
      return "memory-hit";
    case Outcome::DiskHit:
      return "disk-hit";
    case Outcome::StoreHit:
      return "store-hit";
    case Outcome::Rendered:
      return "rendered";
    case Outcome::Collapsed:
      return "collapsed";
    case Outcome::Stale:
      return "stale";
    case Outcome::NegativeHit:
      return "negative-hit";
    case Outcome::NotModified:
      return "not-modified";
    case Outcome::ClientError:
      return "client-error";
    case Outcome::OriginError:
      return "origin-error";
    case Outcome::Busy:
      return "busy";
    case Outcome::ServerError:
      return "server-error";
  }
  return "unknown";
}

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::Parse:
      return "parse";
    case Phase::Disk:
      return "disk";
    case Phase::Fetch:
      return "fetch";
    case Phase::Plan:
      return "plan";
    case Phase::Queue:
      return "queue";
    case Phase::Render:
      return "render";
    case Phase::Store:
      return "store";
    case Phase::Total:
      return "total";
  }
  return "unknown";
}

double middle_us(std::size_t bucket) {
  if (bucket == 0) return static_cast<double>(kFineBoundsUs[0]) / 2;
  double below = static_cast<double>(kFineBoundsUs[bucket - 1]);
  if (bucket == kFineBoundsUs.size()) return below;
  return (below + static_cast<double>(kFineBoundsUs[bucket])) / 2;
}

struct Metrics::State final : prometheus::Collectable {
  std::array<Stripe, kStripes> stripes;
  mutable std::mutex mutex;  // guards `scraped`
  std::vector<ScrapedSeries> scraped;

  Stripe& here() {
    return stripes[static_cast<std::size_t>(std::max(::sched_getcpu(), 0)) % kStripes];
  }
  template <class Read>
  std::uint64_t sum(Read&& read) const {
    std::uint64_t total = 0;
    for (const Stripe& stripe : stripes) total += load(read(stripe));
    return total;
  }
  std::int64_t connections() const {
    std::int64_t open = 0;
    for (const Stripe& stripe : stripes) open += stripe.connections.load(std::memory_order_relaxed);
    return open;
  }

  std::vector<MetricFamily> Collect() const override;
  MetricFamily requests() const;
  MetricFamily phases() const;
  MetricFamily bytes(const char* name, const char* help, Count Stripe::*member) const;
  void collect_scraped(std::vector<MetricFamily>& families) const;
};

MetricFamily Metrics::State::requests() const {
  MetricFamily family{"tintype_requests_total",
                      "Answered requests by where the answer came from.",
                      MetricType::Counter,
                      {}};
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    auto total = sum([&](const Stripe& s) -> const Count& { return s.requests[i]; });
    ClientMetric sample = counter_sample(static_cast<double>(total));
    sample.label = {{"outcome", std::string(name_of(static_cast<Outcome>(i)))}};
    family.metric.push_back(std::move(sample));
  }
  return family;
}

MetricFamily Metrics::State::phases() const {
  MetricFamily family{
      "tintype_phase_seconds", "Time spent in each phase of the walk.", MetricType::Histogram, {}};
  for (std::size_t p = 0; p < kPhaseCount; ++p) {
    ClientMetric sample;
    sample.label = {{"phase", std::string(name_of(static_cast<Phase>(p)))}};
    std::uint64_t below = 0;
    std::size_t fine = 0;
    for (std::size_t b = 0; b <= kBoundsUs.size(); ++b) {
      bool is_last = b == kBoundsUs.size();
      std::size_t end = is_last ? kPhaseBuckets : b * kParts + 1;
      for (; fine < end; ++fine) {
        below += sum([&](const Stripe& s) -> const Count& { return s.phases[p].in_bucket[fine]; });
      }
      double bound = is_last ? std::numeric_limits<double>::infinity()
                             : static_cast<double>(kBoundsUs[b]) / 1e6;
      sample.histogram.bucket.push_back({below, bound});
    }
    auto sum_us = sum([&](const Stripe& s) -> const Count& { return s.phases[p].sum_us; });
    sample.histogram.sample_count = below;
    sample.histogram.sample_sum = static_cast<double>(sum_us) / 1e6;
    family.metric.push_back(std::move(sample));
  }
  return family;
}

MetricFamily Metrics::State::bytes(const char* name, const char* help,
                                   Count Stripe::*member) const {
  auto total = sum([&](const Stripe& s) -> const Count& { return s.*member; });
  return {name, help, MetricType::Counter, {counter_sample(static_cast<double>(total))}};
}

void Metrics::State::collect_scraped(std::vector<MetricFamily>& families) const {
  std::lock_guard lock(mutex);
  for (const ScrapedSeries& series : scraped) {
    auto family = std::find_if(families.begin(), families.end(),
                               [&](const MetricFamily& f) { return f.name == series.name; });
    if (family == families.end()) {
      families.push_back({series.name, series.help, series.type, {}});
      family = std::prev(families.end());
    }
    CHECK(family->type == series.type);
    ClientMetric sample;
    sample.label = series.labels;
    (series.type == MetricType::Counter ? sample.counter.value : sample.gauge.value) =
        series.read();
    family->metric.push_back(std::move(sample));
  }
}

std::vector<MetricFamily> Metrics::State::Collect() const {
  std::vector<MetricFamily> families;
  families.push_back(requests());
  families.push_back(bytes("tintype_sent_bytes_total", "Bytes sent to viewers, heads included.",
                           &Stripe::sent_bytes));
  families.push_back(bytes("tintype_source_bytes_total", "Source bytes fetched from origins.",
                           &Stripe::source_bytes));
  families.push_back(
      bytes("tintype_variant_bytes_total", "Bytes of variants rendered.", &Stripe::variant_bytes));
  families.push_back(phases());
  ClientMetric open;
  open.gauge.value = static_cast<double>(connections());
  families.push_back(
      {"tintype_connections", "Open client connections.", MetricType::Gauge, {open}});
  collect_scraped(families);
  return families;
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::count(Outcome outcome) {
  add(state_->here().requests[static_cast<std::size_t>(outcome)], 1);
}
void Metrics::count_sent_bytes(std::uint64_t size_bytes) {
  add(state_->here().sent_bytes, size_bytes);
}
void Metrics::count_source_bytes(std::uint64_t size_bytes) {
  add(state_->here().source_bytes, size_bytes);
}
void Metrics::count_variant_bytes(std::uint64_t size_bytes) {
  add(state_->here().variant_bytes, size_bytes);
}

void Metrics::observe(Phase phase, std::chrono::microseconds duration) {
  std::int64_t us = std::max<std::int64_t>(duration.count(), 0);
  Histogram& histogram = state_->here().phases[static_cast<std::size_t>(phase)];
  auto bound = std::lower_bound(kFineBoundsUs.begin(), kFineBoundsUs.end(), us);
  add(histogram.in_bucket[static_cast<std::size_t>(bound - kFineBoundsUs.begin())], 1);
  add(histogram.sum_us, static_cast<std::uint64_t>(us));
}

void Metrics::connection_opened() {
  state_->here().connections.fetch_add(1, std::memory_order_relaxed);
}
void Metrics::connection_closed() {
  state_->here().connections.fetch_sub(1, std::memory_order_relaxed);
}
std::int64_t Metrics::connections() const {
  return state_->connections();
}

void Metrics::read_at_scrape(std::string name, std::string help, std::string kind,
                             std::function<double()> read) {
  CHECK(kind == "gauge" || kind == "counter");
  std::size_t brace = std::min(name.find('{'), name.size());
  ScrapedSeries series{name.substr(0, brace),
                       std::move(help),
                       kind == "gauge" ? MetricType::Gauge : MetricType::Counter,
                       parse_labels(std::string_view(name).substr(brace)),
                       name,
                       std::move(read)};
  std::lock_guard lock(state_->mutex);
  state_->scraped.push_back(std::move(series));
}

std::string Metrics::expose() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->Collect());
  return std::move(out).str();
}

MetricsSnapshot Metrics::snapshot() const {
  MetricsSnapshot all;
  for (const Stripe& stripe : state_->stripes) {
    for (std::size_t i = 0; i < all.requests.size(); ++i) {
      all.requests[i] += load(stripe.requests[i]);
    }
    all.sent_bytes += load(stripe.sent_bytes);
    all.source_bytes += load(stripe.source_bytes);
    all.variant_bytes += load(stripe.variant_bytes);
    for (std::size_t p = 0; p < all.phases.size(); ++p) {
      const Histogram& histogram = stripe.phases[p];
      for (std::size_t b = 0; b < kPhaseBuckets; ++b) {
        all.phases[p].in_bucket[b] += load(histogram.in_bucket[b]);
      }
      all.phases[p].sum_us += load(histogram.sum_us);
    }
  }
  all.connections = connections();
  return all;
}

std::optional<double> Metrics::read(std::string_view name) const {
  std::lock_guard lock(state_->mutex);
  for (const ScrapedSeries& series : state_->scraped) {
    if (series.full_name == name) return series.read();
  }
  return std::nullopt;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// What it costs to hand a render to another process and take the variant back: from render() on the
// caller's loop to its answer there, with an engine that does nothing. Two thread hops, two copies,
// one doorbell round trip and the judging of the reply. The project's bar is 0.3 ms for a 2 MB
// source.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <vector>

#include <benchmark/benchmark.h>

#include "worker/pool.h"
#include "worker/sample_pictures.h"

namespace tintype {
namespace {

// A usual variant: 200 kB. Nothing reads what follows the end of the JPEG.
constexpr std::size_t kVariantBytes = 200'000;

Result<Rendered> render_nothing(const Plan&, ByteView, const PlanLimits&) {
  static const Bytes kVariant = [] {
    Bytes bytes(std::begin(samples::kJpeg16x8), std::end(samples::kJpeg16x8));
    bytes.resize(kVariantBytes);
    return bytes;
  }();
  return Rendered{.bytes = kVariant, .size = {16, 8}};
}

RenderJob job_of(std::size_t source_bytes) {
  RenderJob job;
  job.plan.encode.format = Format::Jpeg;
  job.plan.canvas = {16, 8};
  job.plan.cost = {.weight = 1, .peak_bytes = 1};
  job.source = share(Bytes(source_bytes, 0x55));
  return job;
}

void render_once(asio::io_context& loop, WorkerPool& pool, const RenderJob& job) {
  asio::co_spawn(loop, pool.render(job), [](std::exception_ptr, Result<RenderedVariant> variant) {
    if (!variant) std::abort();
  });
  loop.restart();
  loop.run();
}

double percentile_us(std::vector<double>& sorted_us, double share) {
  return sorted_us[static_cast<std::size_t>(share * static_cast<double>(sorted_us.size() - 1))];
}

void handoff(benchmark::State& state) {
  const WorkerSettings settings{.count = 1, .recycle_after_jobs = 1'000'000'000};
  const RenderEntry entry{.prepare = []() -> Result<> { return {}; }, .render = render_nothing};
  const SystemClock clock;
  auto pool = WorkerPool::start(Zygote::start(settings, entry).value(), settings, clock).value();
  const RenderJob job = job_of(static_cast<std::size_t>(state.range(0)));
  asio::io_context loop;
  std::vector<double> rounds_us;
  for (auto _ : state) {
    const Steady begun = clock.now();
    render_once(loop, *pool, job);
    rounds_us.push_back(std::chrono::duration<double, std::micro>(clock.now() - begun).count());
  }
  std::sort(rounds_us.begin(), rounds_us.end());
  state.counters["p50_us"] = percentile_us(rounds_us, 0.5);
  state.counters["p99_us"] = percentile_us(rounds_us, 0.99);
}
BENCHMARK(handoff)->Arg(1'000)->Arg(2'000'000)->Arg(8'000'000)->UseRealTime();

void spawn(benchmark::State& state) {
  const WorkerSettings settings{.count = 1};
  Zygote zygote = Zygote::start(settings).value();
  for (auto _ : state) {
    if (!zygote.spawn()) std::abort();
  }
}
BENCHMARK(spawn)->UseRealTime();

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// What a look-up in the memory tier costs: held and absent keys, one thread and two.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "cache/memory_tier.h"

namespace tintype {
namespace {

struct Filled {
  MemoryTier tier{std::size_t{1} << 30};
  std::vector<std::string> held, absent;

  Filled() {
    for (int i = 0; i < 10'000; ++i) {
      std::string tail = std::to_string(i) + "/front.jpg/_/fit-cover_h-600_w-800.webp";
      held.push_back("/shop/products/" + tail);
      absent.push_back("/shop/missing/" + tail);
      auto entry = std::make_shared<Entry>();
      entry->meta.key = held.back();
      entry->body.resize(1000);
      tier.keep(std::move(entry));
    }
  }
};

Filled& filled() {
  static Filled* const instance = new Filled;
  return *instance;
}

void look_up(benchmark::State& state, const std::vector<std::string>& keys) {
  auto at = static_cast<std::size_t>(state.thread_index()) * 977;
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled().tier.get(keys[at % keys.size()]));
    at += 7919;
  }
}

void hit(benchmark::State& state) {
  look_up(state, filled().held);
}
void miss(benchmark::State& state) {
  look_up(state, filled().absent);
}
BENCHMARK(hit)->Threads(1)->Threads(2);
BENCHMARK(miss)->Threads(1);

}  // namespace
}  // namespace tintype

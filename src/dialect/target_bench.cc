// SPDX-License-Identifier: Apache-2.0
// The pure steps of a cache hit: target -> Ask -> settled -> canonical path.
#include <benchmark/benchmark.h>

#include "dialect/dialect.h"
#include "transform/canonical_path.h"
#include "transform/settle.h"

namespace tintype {
namespace {

constexpr Format kOrder[] = {Format::Avif, Format::Webp};
constexpr Hints kChrome{.accept =
                            "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"};

void name_target(benchmark::State& state, std::string_view target) {
  for (auto _ : state) {
    auto ask = parse_target(target);
    auto settled = settle(*ask, kChrome, kOrder);
    std::string path = canonical_path(*ask, *settled);
    benchmark::DoNotOptimize(path.data());
  }
}

BENCHMARK_CAPTURE(name_target, plain, "/shop/p/4711/front.jpg?w=800");
BENCHMARK_CAPTURE(name_target, typical, "/shop/p/4711/front.jpg?w=800&h=600&fit=cover&q=75");
BENCHMARK_CAPTURE(name_target, long_names_and_escapes,
                  "/shop/p/4711/front%20view.jpg?width=400&dpr=2&aspect-ratio=16%3A9&"
                  "gravity=top-left&background=%23f4f4f4&sharpen=0.8&utm_source=mail&utm_medium=x");
BENCHMARK_CAPTURE(name_target, canonical,
                  "/shop/p/4711/front.jpg/_/fit-cover_h-600_q-75_w-800.webp");

void parse_only(benchmark::State& state) {
  for (auto _ : state) {
    auto ask = parse_target("/shop/p/4711/front.jpg?w=800&h=600&fit=cover&q=75");
    benchmark::DoNotOptimize(ask->site.data());
  }
}
BENCHMARK(parse_only);

void refuse(benchmark::State& state) {
  for (auto _ : state) {
    auto ask = parse_target("/shop/p/4711/front.jpg?w=800&h=600x");
    benchmark::DoNotOptimize(ask.has_value());
  }
}
BENCHMARK(refuse);

void key_of_path(benchmark::State& state) {
  for (auto _ : state) {
    std::string key = cache_key("/shop/p/4711/front.jpg/_/fit-cover_h-600_q-75_w-800.webp");
    benchmark::DoNotOptimize(key.data());
  }
}
BENCHMARK(key_of_path);

}  // namespace
}  // namespace tintype

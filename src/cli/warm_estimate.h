// SPDX-License-Identifier: Apache-2.0
// WarmEstimate: what a warm run would come to, before anything is asked: variants, requests, CPU
// seconds by the cost of their plans, bytes, and money where the prices are given. Of sources
// nothing is known before they are fetched, so one kind of source stands for all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/warm.h"
#include "image/geometry.h"

namespace tintype {

// In US dollars; absent: no line is printed.
struct WarmPrices {
  std::optional<double> cpu_hour, gb_stored_month, million_puts, million_requests;
};

struct WarmAssumption {
  Size source{4'000, 3'000};  // a JPEG 4:2:0 of 12 megapixels
};

struct WarmEstimate {
  std::uint64_t sources = 0, variants = 0, requests = 0;
  std::uint64_t impossible = 0;  // sources whose variants cannot be named
  double cpu_seconds = 0, size_bytes = 0;
  std::map<std::string, std::uint64_t> by_format;  // "webp": variants
};

WarmEstimate estimate_warm(const WarmPlan& plan, const WarmAssumption& assumption);
// Several lines for people; `done` requests are done already.
std::string describe(const WarmEstimate& estimate, const WarmPlan& plan, const WarmPrices& prices);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// A ReplayReport for people (text with bars), for programs (JSON) and for a page (SVG). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "replay/replay.h"

namespace tintype {

// `title`: where the traffic is from, one line.
std::string report_as_text(const ReplayReport& report, const std::string& title);
std::string report_as_json(const ReplayReport& report, const std::string& title);
std::string report_as_svg(const ReplayReport& report, const std::string& title);

// ---- What the three share.
// "raw URLs", "canonical paths" and, where it was simulated, "canonical, on the ladder".
std::vector<std::pair<std::string, const LayerCounts*>> ways_to_name(const ReplayReport& report);
// The labels of ReplayReport::spelled: "1", "2", "3", "4", "5-8", "9-16", "17+".
std::string_view spelled_label(std::size_t place);
// The `limit` most asked widths, ascending; "none" is width 0.
std::vector<std::pair<std::int32_t, std::uint64_t>> top_widths(
    const std::map<std::int32_t, std::uint64_t>& widths, std::size_t limit);
// The parameters worth a line, the most splitting first: those that never change the picture, and
// those that split by more than twice the error of the estimate.
std::vector<SplitRow> telling_splits(const ReplayReport& report, std::size_t limit);
// With exactly so many decimals: 11.0.
std::string fixed(double value, int digits);
// 0.7931 -> "79.3"
std::string percent(double share);

}  // namespace tintype

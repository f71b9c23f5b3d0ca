// SPDX-License-Identifier: Apache-2.0
#include "transform/client_hints.h"

#include <algorithm>

#include "base/text.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

// 4/3 and 1.25 screens are served 1.5; above 3 the eye sees no difference in a photograph.
constexpr std::int32_t kDprClasses_e2[] = {100, 150, 200, 300};
constexpr std::int64_t kSlowDownlink_e2 = 100;  // 1 Mbit/s
constexpr std::int64_t kSlowRttMs = 400;
constexpr std::int64_t kMostPx = 100'000;  // no screen is wider

std::int32_t snap_up(std::span<const std::int32_t> steps, std::int64_t value) {
  auto step = std::lower_bound(steps.begin(), steps.end(), value);
  return step == steps.end() ? steps.back() : *step;
}

std::optional<std::int64_t> positive(std::string_view text, int decimals) {
  auto value = parse_fixed(trim(text), decimals);
  if (!value || *value <= 0) return std::nullopt;
  return value;
}

struct NamedHint {
  std::string_view name;
  std::size_t index;  // in the order of Hints
  bool is_new_name = true;
};

constexpr NamedHint kHintNames[] = {{"accept", 0},
                                    {"sec-ch-dpr", 1},
                                    {"dpr", 1, false},
                                    {"sec-ch-width", 2},
                                    {"width", 2, false},
                                    {"sec-ch-viewport-width", 3},
                                    {"viewport-width", 3, false},
                                    {"save-data", 4},
                                    {"ect", 5},
                                    {"downlink", 6},
                                    {"rtt", 7},
                                    {"user-agent", 8}};

}  // namespace

bool HintTexts::take(std::string_view name, std::string_view value) {
  for (const NamedHint& known : kHintNames) {
    if (!equals_ignoring_case(known.name, name)) continue;
    Text& text = texts_[known.index];
    if (known.index == 0 && !text.value.empty()) {
      text.value.append(", ").append(value);
    } else if (known.is_new_name || !text.is_new_name) {
      text = {std::string(value), known.is_new_name};
    }
    return true;
  }
  return false;
}

HintTexts HintTexts::parse(std::string_view text) {
  HintTexts texts;
  for (std::string_view part : split(text, '|')) {
    part = trim(part);
    std::size_t colon = part.find(": ");
    bool is_named = colon != std::string_view::npos &&
                    texts.take(part.substr(0, colon), trim(part.substr(colon + 2)));
    if (!is_named && !part.empty()) texts.take("accept", part);
  }
  return texts;
}

Hints HintTexts::hints() const {
  return {.accept = texts_[0].value,
          .dpr = texts_[1].value,
          .width = texts_[2].value,
          .viewport_width = texts_[3].value,
          .save_data = texts_[4].value,
          .ect = texts_[5].value,
          .downlink = texts_[6].value,
          .rtt = texts_[7].value,
          .user_agent = texts_[8].value};
}

std::optional<std::int32_t> dpr_class_e2(const Hints& hints) {
  auto dpr_e2 = positive(hints.dpr, 2);
  if (!dpr_e2) return std::nullopt;
  return snap_up(kDprClasses_e2, *dpr_e2);
}

std::optional<std::int32_t> width_class_px(const Hints& hints,
                                           std::span<const std::int32_t> ladder) {
  if (ladder.empty()) return std::nullopt;
  auto width_px = positive(hints.width, 0);
  if (!width_px) {
    auto viewport_px = positive(hints.viewport_width, 0);
    if (!viewport_px) return std::nullopt;
    width_px = std::min(*viewport_px, kMostPx) * dpr_class_e2(hints).value_or(100) / 100;
  }
  return snap_up(ladder, *width_px);
}

bool breaks_avif(std::string_view user_agent) {
  constexpr std::string_view kVersion = "Version/16.";
  std::size_t at = user_agent.find(kVersion);
  if (at == std::string_view::npos) return false;
  std::string_view rest = user_agent.substr(at + kVersion.size());
  bool is_early = !rest.empty() && rest[0] >= '0' && rest[0] <= '3' &&
                  (rest.size() == 1 || rest[1] < '0' || rest[1] > '9');
  return is_early && rest.find("Safari/") != std::string_view::npos &&
         user_agent.find("Chrome/") == std::string_view::npos &&
         user_agent.find("Chromium/") == std::string_view::npos;
}

bool is_network_slow(const Hints& hints) {
  if (equals_ignoring_case(trim(hints.save_data), "on")) return true;
  for (std::string_view slow : {"slow-2g", "2g", "3g"}) {
    if (equals_ignoring_case(trim(hints.ect), slow)) return true;
  }
  auto downlink_e2 = parse_fixed(trim(hints.downlink), 2);
  if (downlink_e2 && *downlink_e2 < kSlowDownlink_e2) return true;
  auto rtt_ms = parse_fixed(trim(hints.rtt), 0);
  return rtt_ms && *rtt_ms >= kSlowRttMs;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "delivery/passed_on.h"

#include <vector>

#include "base/text.h"
#include "image/format.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

constexpr std::string_view kPrefix = "/_/ask/";

[[nodiscard]] Failure malformed() {
  return fail_public(ErrorCode::BadRequest, "what the edge passed on is malformed");
}

bool take_format(HintTexts& headers, std::string_view name) {
  if (name.empty()) return true;
  auto format = format_named(name);
  if (!format || !is_encodable(*format)) return false;
  headers.take("accept", media_type_of(*format));
  return true;
}

// `decimals` of the number as it stands; the header takes it unscaled.
bool take_number(HintTexts& headers, std::string_view header, std::string_view number,
                 int decimals) {
  if (number.empty()) return true;
  auto value = parse_int(number);
  if (!value || *value < 1 || *value > 100'000) return false;
  std::string text;
  append_fixed(text, *value, decimals);
  headers.take(header, text);
  return true;
}

}  // namespace

Result<std::optional<PassedOn>> read_passed_on(std::string_view target) {
  if (!target.starts_with(kPrefix)) return std::nullopt;
  std::string_view rest = target.substr(kPrefix.size());
  std::size_t slash = rest.find('/');
  auto classes = split(rest.substr(0, slash), ',');
  if (slash == std::string_view::npos || classes.size() != 4) return malformed();
  auto inner = percent_decode(rest.substr(slash + 1));
  // Nothing passed on is passed on again.
  if (!inner || !inner->starts_with('/') || inner->starts_with(kPrefix)) return malformed();
  PassedOn passed{.target = std::move(*inner), .headers = {}};
  bool is_fine = take_format(passed.headers, classes[0]) &&
                 take_number(passed.headers, "sec-ch-dpr", classes[1], 2) &&
                 take_number(passed.headers, "sec-ch-width", classes[2], 0) &&
                 (classes[3].empty() || classes[3] == "1");
  if (!is_fine) return malformed();
  if (!classes[3].empty()) passed.headers.take("save-data", "on");
  return std::optional(std::move(passed));
}

}  // namespace tintype

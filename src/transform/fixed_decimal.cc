// SPDX-License-Identifier: Apache-2.0
#include "transform/fixed_decimal.h"

#include <charconv>

#include "base/check.h"

namespace tintype {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Above this the scaled value could leave 64 bits; every option's range ends far below.
constexpr std::int64_t kMaxWhole = 1'000'000'000;

}  // namespace

std::optional<std::int64_t> parse_fixed(std::string_view text, int decimals) {
  CHECK(decimals >= 0 && decimals <= 4);
  std::int64_t value = 0;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    value = value * 10 + (text[i] - '0');
    if (value >= kMaxWhole) return std::nullopt;
  }
  bool has_digits = i > 0;
  bool round_up = false;
  int scaled = 0;
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && is_digit(text[i]); ++i) {
      has_digits = true;
      if (scaled < decimals) {
        value = value * 10 + (text[i] - '0');
      } else if (scaled == decimals) {
        round_up = text[i] >= '5';
      }
      if (scaled <= decimals) ++scaled;
    }
  }
  if (i != text.size() || !has_digits) return std::nullopt;
  for (; scaled < decimals; ++scaled) value *= 10;
  return value + (round_up ? 1 : 0);
}

void append_fixed(std::string& out, std::int64_t value, int decimals) {
  char buffer[32];
  std::int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  auto whole = std::to_chars(buffer, buffer + sizeof buffer, value / scale);
  out.append(buffer, whole.ptr);
  std::int64_t fraction = value % scale;
  if (fraction == 0) return;
  out += '.';
  while (fraction > 0) {
    scale /= 10;
    out += static_cast<char>('0' + fraction / scale);
    fraction %= scale;
  }
}

}  // namespace tintype

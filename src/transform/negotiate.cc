// SPDX-License-Identifier: Apache-2.0
// negotiate_format: one pass over the Accept field (RFC 9110, sections 5.6 and 12.5.1). A member
// that breaks the grammar is left out; the others still count.
#include <array>

#include "base/text.h"
#include "transform/settle.h"

namespace tintype {
namespace {

// Thousandths; nothing for a weight outside RFC 9110's grammar (section 12.4.2): "0" or "1" with at
// most three decimals, not above 1.
std::optional<int> parse_weight_e3(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight_e3 = text[0] - '0';
  for (std::size_t i = 2; i < 5; ++i) {
    char c = i < text.size() ? text[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    weight_e3 = weight_e3 * 10 + (c - '0');
  }
  if (weight_e3 > 1000) return std::nullopt;
  return weight_e3;
}

// Where the text up to the next `separator` outside quoted strings ends. npos: a quoted string is
// never closed.
std::size_t end_of_part(std::string_view text, char separator) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && text[i] == separator) {
      return i;
    }
  }
  return is_quoted ? std::string_view::npos : text.size();
}

// Takes the first part off `text`; nothing when a quoted string runs to the end.
std::optional<std::string_view> take_part(std::string_view& text, char separator) {
  std::size_t end = end_of_part(text, separator);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view part = trim(text.substr(0, end));
  text.remove_prefix(end < text.size() ? end + 1 : end);
  return part;
}

struct Member {
  std::string_view media_type;
  int weight_e3 = 1000;
};

// "image/avif;v=b3;q=0.8". Nothing for a malformed weight.
std::optional<Member> parse_member(std::string_view text) {
  auto media_type = take_part(text, ';');
  if (!media_type) return std::nullopt;
  Member member{*media_type};
  while (!text.empty()) {
    auto parameter = take_part(text, ';');
    if (!parameter) return std::nullopt;
    std::size_t equals = parameter->find('=');
    if (equals == std::string_view::npos) continue;
    if (!equals_ignoring_case(trim(parameter->substr(0, equals)), "q")) continue;
    auto weight_e3 = parse_weight_e3(trim(parameter->substr(equals + 1)));
    if (!weight_e3) return std::nullopt;
    member.weight_e3 = *weight_e3;
  }
  return member;
}

bool names_image(std::string_view media_type, Format format) {
  return equals_ignoring_case(media_type, media_type_of(format));
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

// JPEG has no alpha, so that a source named so needs no look at its header.
Format fallback_format(std::string_view source) {
  bool is_jpeg =
      ends_with_ignoring_case(source, ".jpg") || ends_with_ignoring_case(source, ".jpeg");
  return is_jpeg ? Format::Jpeg : Format::JpegOrPng;
}

// As many formats as we encode.
constexpr std::size_t kMaxCandidates = 4;
constexpr int kNotNamed = -1;

}  // namespace

Format negotiate_format(const Hints& hints, std::span<const Format> order,
                        std::string_view source) {
  std::string_view accept = hints.accept;
  std::array<int, kMaxCandidates> weights_e3;
  weights_e3.fill(kNotNamed);
  std::size_t count = std::min(order.size(), kMaxCandidates);
  while (!accept.empty()) {
    auto part = take_part(accept, ',');
    if (!part) break;
    auto member = parse_member(*part);
    if (!member) continue;
    for (std::size_t i = 0; i < count; ++i) {
      // Named twice, a refusal stands; otherwise the higher weight.
      if (names_image(member->media_type, order[i]) && weights_e3[i] != 0) {
        weights_e3[i] = member->weight_e3 == 0 ? 0 : std::max(weights_e3[i], member->weight_e3);
      }
    }
  }
  int best_e3 = 0;
  Format best = fallback_format(source);
  for (std::size_t i = 0; i < count; ++i) {
    if (weights_e3[i] <= best_e3) continue;
    if (order[i] == Format::Avif && breaks_avif(hints.user_agent)) continue;
    best_e3 = weights_e3[i];
    best = order[i];
  }
  return best;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "telemetry/trace_context.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/text.h"

namespace tintype {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// The specification's limits of a tracestate (sections 3.3.1.1 and 3.3.1.5).
constexpr std::size_t kMaxStateBytes = 512, kMaxStateMembers = 32, kMaxKeyBytes = 256;

int hex_value(char c, bool allow_upper) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (allow_upper && c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Fills `out` from exactly twice as many digits.
bool read_hex(std::string_view text, std::span<std::uint8_t> out, bool allow_upper = false) {
  if (text.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    int high = hex_value(text[2 * i], allow_upper), low = hex_value(text[2 * i + 1], allow_upper);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

char* write_hex(std::span<const std::uint8_t> bytes, char* out) {
  for (std::uint8_t byte : bytes) {
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
  return out;
}

template <std::size_t N>
std::string_view view(const std::array<char, N>& text) {
  return {text.data(), N};
}

bool read_root(std::string_view text, TraceId& id) {
  if (text.size() != 35 || !text.starts_with("1-") || text[10] != '-') return false;
  std::span<std::uint8_t> bytes(id);
  return read_hex(text.substr(2, 8), bytes.first(4), true) &&
         read_hex(text.substr(11), bytes.subspan(4), true) && id != TraceId{};
}

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("_-*/@").find(c) != std::string_view::npos;
}

// "rojo=00f067aa0ba902b7"
bool is_state_member(std::string_view member) {
  std::size_t equals = member.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals > kMaxKeyBytes) return false;
  std::string_view key = member.substr(0, equals), value = member.substr(equals + 1);
  auto is_value_char = [](char c) { return c >= 0x20 && c <= 0x7E && c != ',' && c != '='; };
  return !value.empty() && std::all_of(key.begin(), key.end(), is_key_char) &&
         std::all_of(value.begin(), value.end(), is_value_char);
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view value) {
  constexpr std::size_t kLength = 55;  // of version 00
  if (value.size() < kLength || value[2] != '-' || value[35] != '-' || value[52] != '-') return {};
  std::uint8_t version = 0, flags = 0;
  TraceParent parent;
  if (!read_hex(value.substr(0, 2), {&version, 1}) ||
      !read_hex(value.substr(3, 32), parent.trace_id) ||
      !read_hex(value.substr(36, 16), parent.span_id) ||
      !read_hex(value.substr(53, 2), {&flags, 1})) {
    return {};
  }
  bool has_more = value.size() > kLength;
  if (version == 0xff || (has_more && (version == 0 || value[kLength] != '-'))) return {};
  if (parent.trace_id == TraceId{} || parent.span_id == SpanId{}) return {};
  parent.sampled = (flags & 1) != 0 ? Sampled::Yes : Sampled::No;
  return parent;
}

std::optional<TraceParent> parse_amzn_trace(std::string_view value) {
  TraceParent parent;
  bool has_root = false;
  while (!value.empty()) {
    std::size_t end = std::min(value.find(';'), value.size());
    std::string_view field = trim(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    std::size_t equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view name = field.substr(0, equals), text = field.substr(equals + 1);
    if (name == "Root") {
      if (has_root || !read_root(text, parent.trace_id)) return {};
      has_root = true;
    } else if (name == "Parent") {
      if (!read_hex(text, parent.span_id, true)) parent.span_id = {};
    } else if (name == "Sampled") {
      parent.sampled = text == "1" ? Sampled::Yes : text == "0" ? Sampled::No : Sampled::Unknown;
    }
  }
  if (!has_root) return {};
  return parent;
}

bool is_tracestate(std::string_view value) {
  if (value.empty() || value.size() > kMaxStateBytes) return false;
  std::size_t members = 0;
  while (true) {
    std::size_t end = std::min(value.find(','), value.size());
    std::string_view member = trim(value.substr(0, end));
    // Empty members are allowed between others.
    if (!member.empty() && (++members > kMaxStateMembers || !is_state_member(member))) return false;
    if (end == value.size()) return members > 0;
    value.remove_prefix(end + 1);
  }
}

std::array<char, 32> trace_id_text(const TraceId& id) {
  std::array<char, 32> text;
  write_hex(id, text.data());
  return text;
}

std::array<char, 35> amzn_root_text(const TraceId& id) {
  std::array<char, 35> text;
  std::span<const std::uint8_t> bytes(id);
  text[0] = '1';
  text[1] = '-';
  char* at = write_hex(bytes.first(4), text.data() + 2);
  *at++ = '-';
  write_hex(bytes.subspan(4), at);
  return text;
}

std::string span_id_text(const SpanId& id) {
  std::string text(16, '0');
  write_hex(id, text.data());
  return text;
}

std::string write_traceparent(const TraceContext& context) {
  std::string out = "00-";
  out += view(trace_id_text(context.trace_id));
  out += '-';
  out += span_id_text(context.span_id);
  out += context.is_sampled ? "-01" : "-00";
  return out;
}

std::string write_amzn_trace(const TraceContext& context) {
  std::string out = "Root=";
  out += view(amzn_root_text(context.trace_id));
  out += ";Parent=" + span_id_text(context.span_id);
  out += context.is_sampled ? ";Sampled=1" : ";Sampled=0";
  return out;
}

bool is_in_ratio(const TraceId& id, double ratio) {
  if (!(ratio > 0)) return false;
  if (ratio >= 1) return true;
  std::uint64_t low = 0;
  for (std::size_t i = 8; i < id.size(); ++i) low = low << 8 | id[i];
  return low < static_cast<std::uint64_t>(std::ldexp(ratio, 64));
}

TraceIds::TraceIds() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  random_.seed(seed);
}

TraceId TraceIds::next_trace(std::int64_t unix_seconds) {
  TraceId id;
  std::uint64_t low = random_(), high = random_();
  for (std::size_t i = 0; i < 4; ++i) {
    id[i] = static_cast<std::uint8_t>(unix_seconds >> (24 - 8 * i));
    id[4 + i] = static_cast<std::uint8_t>(high >> (8 * i));
  }
  for (std::size_t i = 0; i < 8; ++i) id[8 + i] = static_cast<std::uint8_t>(low >> (8 * i));
  if (id == TraceId{}) id[15] = 1;
  return id;
}

SpanId TraceIds::next_span() {
  std::uint64_t bits = random_() | 1;  // never all zero
  SpanId id;
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(bits >> (8 * i));
  return id;
}

}  // namespace tintype

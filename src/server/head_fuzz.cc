// SPDX-License-Identifier: Apache-2.0
// HeadParser on any bytes, fed whole and in two pieces: both must come to the same end, and what is
// accepted must keep the promises that the rest of the server relies on.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/conditional.h"
#include "server/head_parser.h"

namespace {

using tintype::HeadParser;

// Small limits, so that short inputs reach them.
constexpr tintype::HeadLimits kLimits{256, 1024, 12};

struct Outcome {
  HeadParser::Parsed parsed;
  int status;
  std::size_t consumed_bytes;
  std::string target;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(HeadParser& parser, HeadParser::Parsed parsed) {
  bool is_complete = parsed == HeadParser::Parsed::Complete;
  return {parsed, parser.rejection().status, is_complete ? parser.consumed_bytes() : 0,
          is_complete ? std::string(parser.head().target) : std::string()};
}

void check_promises(const HeadParser& parser, std::string_view bytes) {
  const auto& head = parser.head();
  std::size_t end = parser.consumed_bytes();
  CHECK(end <= bytes.size() && end <= kLimits.max_head_bytes);
  CHECK(bytes.substr(0, end).ends_with("\r\n\r\n"));
  CHECK(head.target.starts_with('/') && head.target.size() <= kLimits.max_target_bytes);
  CHECK(head.method == "GET" || head.method == "HEAD");
  CHECK(head.is_head == (head.method == "HEAD"));
  CHECK(head.target.find_first_of(std::string_view("\r\n \0#", 5)) == std::string_view::npos);
  std::string_view values[] = {head.accept.text(), head.if_none_match.text(), head.range,
                               head.if_range,      head.if_modified_since,    head.user_agent,
                               head.request_id};
  for (std::string_view value : values) {
    CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
  constexpr std::uint64_t kSizeBytes = 1000;
  tintype::Decision decision = tintype::decide(
      {head.if_none_match.text(), head.if_modified_since, head.if_range, head.range},
      {"\"tag\"", 1'700'000'000, kSizeBytes});
  if (decision.verdict == tintype::Verdict::Partial) {
    CHECK(decision.first <= decision.last && decision.last < kSizeBytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadParser whole(kLimits);
  auto parsed = whole.parse(bytes);
  if (parsed == HeadParser::Parsed::Complete) check_promises(whole, bytes);

  std::size_t cut = size == 0 ? 0 : data[0] * size / 256;
  HeadParser pieces(kLimits);
  std::string first(bytes.substr(0, cut));
  auto in_pieces = pieces.parse(first);
  if (in_pieces == HeadParser::Parsed::NeedMore) in_pieces = pieces.parse(bytes);
  // A refusal may come earlier, and for an earlier reason, when less has arrived; what is accepted
  // may not depend on how it arrived.
  if (parsed == HeadParser::Parsed::Complete) {
    CHECK(outcome_of(whole, parsed) == outcome_of(pieces, in_pieces));
  } else {
    CHECK(in_pieces != HeadParser::Parsed::Complete);
  }
  return 0;
}

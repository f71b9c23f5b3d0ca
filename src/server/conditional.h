// SPDX-License-Identifier: Apache-2.0
// Conditional requests and ranges (RFC 9110 sections 13 and 14) as one pure decision: what a client
// says it has or wants, against the validators of what would be sent. Only answers with status 200
// are decided on; the caller sees to that.
#pragma once

#include <cstdint>
#include <string_view>

namespace tintype {

struct Conditions {
  std::string_view if_none_match, if_modified_since, if_range, range;

  bool any() const {
    return !if_none_match.empty() || !if_modified_since.empty() || !range.empty();
  }
};

struct Validators {
  std::string_view etag;                   // strong, with quotes; empty: none
  std::int64_t modified_unix_seconds = 0;  // 0: unknown
  std::uint64_t size_bytes = 0;
};

enum class Verdict : std::uint8_t { Full, NotModified, Partial, Unsatisfiable };

struct Decision {
  Verdict verdict = Verdict::Full;
  std::uint64_t first = 0, last = 0;  // Partial: inclusive, in bytes
};

// `is_get`: ranges mean nothing to HEAD. What cannot be read is ignored, as the RFC asks: the
// answer is then the whole picture. So is a request for several ranges.
Decision decide(const Conditions& conditions, const Validators& validators, bool is_get = true);

}  // namespace tintype

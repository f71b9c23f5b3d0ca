// SPDX-License-Identifier: Apache-2.0
// Small text tools: ASCII case, splitting, strict numbers, percent-encoding, JSON strings, HTTP
// dates. All are pure, locale-free and allocate only for what they return; what is strict refuses
// rather than guesses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tintype {

char lower(char c);
std::string lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

// Splits at every separator; empty parts are kept ("a,,b" -> 3 parts; "" -> 1 empty part).
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);  // spaces and tabs at both ends

// The whole text must be an ASCII decimal integer ("+", spaces, other scripts' digits: nothing).
std::optional<std::int64_t> parse_int(std::string_view text);
// The whole text must be digits with at most one '.', optional leading '-'; no exponent, nan, inf.
std::optional<double> parse_decimal(std::string_view text);
// Shortest form with at most `digits` decimals and no trailing zeros: 0.5, 12, -3.25.
std::string format_decimal(double value, int digits);

// "%2F" -> "/". Fails (nullopt) on a malformed escape. Does not touch '+'.
std::optional<std::string> percent_decode(std::string_view text);
// Everything but A-Z a-z 0-9 - . _ ~ and the characters of `keep` becomes %XX in upper case.
std::string percent_encode(std::string_view text, std::string_view keep = {});
// Valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// RFC 9110 section 5.6.7, IMF-fixdate in GMT: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t unix_seconds);
std::optional<std::int64_t> parse_http_date(std::string_view text);
// RFC 3339 in UTC with seconds: "1994-11-06T08:49:37Z".
std::string iso_date(std::int64_t unix_seconds);
// "12.3 MB" in powers of 1000, for people.
std::string human_bytes(std::uint64_t size_bytes);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "replay/quantity.h"

#include <utility>

#include "policy/yaml_reader.h"

namespace tintype {
namespace {

Failure refuse(std::string_view option, std::string_view text, std::string_view allowed) {
  std::string detail(option);
  detail.append(" ").append(text.substr(0, 60)).append(": must be ").append(allowed);
  return fail_public(ErrorCode::BadRequest, std::move(detail), std::string(option));
}

}  // namespace

Result<std::int64_t> parse_size_bytes(std::string_view text, std::string_view option) {
  auto reader = YamlReader::parse("'" + std::string(text) + "'");
  auto bytes = reader ? reader->as_size_bytes() : fail(reader.error());
  if (bytes) return *bytes;
  return refuse(option, text, "a size such as 50GB, 512MiB or 0 (at most 1000TB)");
}

Result<Seconds> parse_duration(std::string_view text, std::string_view option) {
  auto reader = YamlReader::parse("'" + std::string(text) + "'");
  auto ms = reader ? reader->as_duration_ms() : fail(reader.error());
  if (ms && *ms >= 1000) return Seconds(*ms / 1000);
  return refuse(option, text, "a duration such as 30d, 12h or 600s (1s to 3650d)");
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

}  // namespace tintype

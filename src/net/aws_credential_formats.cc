// SPDX-License-Identifier: Apache-2.0
#include "net/aws_credential_formats.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/text.h"

namespace tintype {
namespace {

// Tokens are a few kilobytes, credential files of many profiles some more.
constexpr std::size_t kMaxFileBytes = 64'000;

std::string text_at(const nlohmann::json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

// The number that stands at `begin`, all of it digits.
std::optional<int> digits(std::string_view text, std::size_t begin, std::size_t count) {
  std::string_view part = text.substr(begin, count);
  if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  auto number = parse_int(part);
  return number ? std::optional<int>(static_cast<int>(*number)) : std::nullopt;
}

// "Z", "+01:00", "-0130"; in seconds.
std::optional<std::int64_t> zone_of(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 5 && text.size() != 6) return std::nullopt;
  auto hours = digits(text, 1, 2), minutes = digits(text, text.size() - 2, 2);
  bool is_sign = text[0] == '+' || text[0] == '-';
  if (!hours || !minutes || !is_sign || (text.size() == 6 && text[3] != ':')) return std::nullopt;
  std::int64_t seconds = *hours * 3'600 + *minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

}  // namespace

Result<std::optional<AwsCredentials>> parse_aws_profile(std::string_view text,
                                                        std::string_view profile) {
  AwsCredentials found;
  bool is_inside = false, is_there = false;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trim(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      is_inside = trim(line.substr(1, line.find(']') - 1)) == profile;
      is_there |= is_inside;
      continue;
    }
    auto equals = line.find('=');
    if (!is_inside || equals == std::string_view::npos) continue;
    std::string name = lower(trim(line.substr(0, equals)));
    std::string_view value = trim(line.substr(equals + 1));
    if (name == "aws_access_key_id") found.access_key_id = value;
    if (name == "aws_secret_access_key") found.secret_access_key = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  if (!is_there) return std::nullopt;
  if (found.access_key_id.empty() || found.secret_access_key.empty()) {
    return fail_private(
        ErrorCode::Forbidden,
        "[" + std::string(profile) + "] lacks aws_access_key_id or aws_secret_access_key");
  }
  return found;
}

Result<AwsCredentials> parse_aws_credentials_json(std::string_view text) {
  auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return fail_private(ErrorCode::OriginFailed, "not a JSON object");
  AwsCredentials found{text_at(object, "AccessKeyId"), text_at(object, "SecretAccessKey"),
                       text_at(object, "Token")};
  if (found.access_key_id.empty() || found.secret_access_key.empty()) {
    return fail_private(ErrorCode::OriginFailed, "no AccessKeyId or no SecretAccessKey");
  }
  std::string end = text_at(object, "Expiration");
  if (end.empty()) return found;
  auto expires = parse_aws_time(end);
  if (!expires) return fail_private(ErrorCode::OriginFailed, "Expiration is no time");
  found.expires_unix_seconds = *expires;
  return found;
}

std::optional<std::int64_t> parse_aws_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || lower(text[10]) != 't' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::string_view rest = text.substr(19);
  if (rest[0] == '.') {
    auto end = rest.find_first_not_of("0123456789", 1);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  auto zone = zone_of(rest);
  bool is_date = *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31 && *hour <= 23 &&
                 *minute <= 59 && *second <= 60;
  if (!zone || !is_date) return std::nullopt;
  std::tm parts{};
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = *second;
  return static_cast<std::int64_t>(timegm(&parts)) - *zone;
}

Result<std::string> read_small_file(const std::string& path) {
  auto broken = [&path](const char* reason) {
    return fail_private(ErrorCode::NotFound, path + ": " + reason);
  };
  // Not blocking: opening a named pipe would wait for somebody who writes.
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return broken(std::strerror(errno));
  struct stat status {};
  if (fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return broken("no file");
  std::string text(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    ssize_t n = read(file.number(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return broken(std::strerror(errno));
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > kMaxFileBytes) return broken("larger than 64 kB");
  text.resize(size);
  return text;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "dialect/request.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace tintype {
namespace {

[[nodiscard]] Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

// The rules for characters, in one pass for a source of plain ASCII. Controls are C0, DEL and the
// C1 controls U+0080 to U+009F.
Result<> check_characters(std::string_view source) {
  bool is_ascii = true;
  for (std::size_t i = 0; i < source.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(source[i]);
    bool is_c1 =
        c == 0xC2 && i + 1 < source.size() && static_cast<unsigned char>(source[i + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F || is_c1) return refuse("the path has a control character");
    if (c == '\\') return refuse("the path has a backslash");
    is_ascii = is_ascii && c < 0x80;
  }
  if (!is_ascii && !is_utf8(source)) return refuse("the path is not valid UTF-8");
  return {};
}

Result<> check_segments(std::string_view source) {
  while (true) {
    std::size_t end = source.find('/');
    std::string_view segment = source.substr(0, end);
    if (segment.empty()) return refuse("the path has an empty segment");
    if (segment == "." || segment == "..") return refuse("the path has a segment . or ..");
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
}

}  // namespace

Failure bad_option(std::string_view name, std::string_view value, std::string_view allowed) {
  std::string detail(name);
  detail.append("=").append(shown(value)).append(": must be ").append(allowed);
  return fail_public(ErrorCode::BadRequest, std::move(detail), std::string(name));
}

Failure unsupported(std::string_view name, std::string_view value) {
  std::string detail(name);
  if (!value.empty()) detail.append("=").append(shown(value));
  detail += ": not supported yet";
  return fail_public(ErrorCode::UnsupportedOption, std::move(detail), std::string(name));
}

Failure bad_signature() {
  return fail_public(ErrorCode::Forbidden, "the signature is missing or wrong");
}

Result<std::string> decode(std::string_view text, std::string_view name) {
  auto decoded = percent_decode(text);
  if (decoded) return std::move(*decoded);
  return fail_public(ErrorCode::BadRequest,
                     std::string(name) + "=" + shown(text) + ": malformed percent escape",
                     std::string(name));
}

Result<std::vector<Parameter>> parse_parameters(std::string_view query, Plus plus) {
  std::vector<Parameter> parameters;
  for (std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    std::string text(part);
    if (plus == Plus::IsSpace) std::replace(text.begin(), text.end(), '+', ' ');
    std::size_t equals = std::min(text.find('='), text.size());
    Parameter parameter;
    parameter.has_value = equals < text.size();
    TRY(parameter.name, decode(std::string_view(text).substr(0, equals), "parameter"));
    if (parameter.has_value) {
      TRY(parameter.value, decode(std::string_view(text).substr(equals + 1), parameter.name));
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Result<std::string> check_source(std::string source) {
  if (source.empty()) return fail_public(ErrorCode::NotFound, "the path names no source");
  TRY(check_characters(source));
  TRY(check_segments(source));
  return source;
}

// Decodes once and then looks at the result, so that no escape hides a separator or a dot; what is
// still escaped afterwards is part of the name.
Result<std::string> parse_source(std::string_view raw) {
  if (raw.find('%') == std::string_view::npos) return check_source(std::string(raw));
  auto decoded = percent_decode(raw);
  if (!decoded) return refuse("the path has a malformed percent escape");
  return check_source(std::move(*decoded));
}

Result<std::string> source_of_url(const Mount& mount, std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (url.starts_with("local://")) url.remove_prefix(8);
  if (url.starts_with('/') && !url.starts_with("//"))
    return check_source(std::string(url.substr(1)));
  for (const std::string& prefix : mount.sources) {
    if (url.starts_with(prefix)) return check_source(std::string(url.substr(prefix.size())));
  }
  return fail_public(ErrorCode::Forbidden,
                     "source " + shown(url) + " is not below one of the mount's sources");
}

Result<> set(Ask& ask, OptionId id, std::string_view value, std::string_view name) {
  if (id == OptionId::Preset || id == OptionId::Version) {
    auto token = parse_token(id, value);
    if (!token)
      return bad_option(name, value, option_table()[static_cast<std::size_t>(id)].allowed);
    (id == OptionId::Preset ? ask.preset : ask.version) = std::move(*token);
  } else if ((id == OptionId::Format && equals_ignoring_case(value, "jpng")) ||
             !set_option(ask.transformation, id, value)) {
    return bad_option(name, value, option_table()[static_cast<std::size_t>(id)].allowed);
  }
  mark(ask, id);
  return {};
}

}  // namespace tintype

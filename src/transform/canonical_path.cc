// SPDX-License-Identifier: Apache-2.0
#include "transform/canonical_path.h"

#include "base/text.h"
#include "transform/option_table.h"
#include "transform/settle.h"

namespace tintype {
namespace {

constexpr std::string_view kNoOptions = "full";
constexpr std::string_view kMarker = "/_/";

void append_options(std::string& out, const Transformation& settled, std::string_view version) {
  std::size_t begin = out.size();
  for (const OptionSpec& spec : option_table()) {
    // The format is the extension.
    if (spec.id == OptionId::Format) continue;
    std::size_t before = out.size();
    if (before != begin) out += '_';
    out += spec.name;
    out += '-';
    bool is_printed = false;
    if (spec.id == OptionId::Version) {
      out += version;
      is_printed = !version.empty();
    } else {
      is_printed = append_option(out, settled, spec.id);
    }
    if (!is_printed) out.resize(before);
  }
  if (out.size() == begin) out += kNoOptions;
  out += '.';
  out += name_of(settled.format);
}

// A segment that is exactly "_" would be the marker before the options.
void append_encoded_source(std::string& out, std::string_view source) {
  std::size_t begin = out.size();
  // Most sources are plain already; percent_encode would copy them for nothing.
  bool is_plain = true;
  for (char c : source) {
    is_plain =
        is_plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '~' || c == '/' || c == '_');
  }
  if (is_plain) {
    out += source;
  } else {
    out += percent_encode(source, "/");
  }
  for (std::size_t i = begin; i < out.size(); ++i) {
    bool is_alone = out[i] == '_' && (i == begin || out[i - 1] == '/') &&
                    (i + 1 == out.size() || out[i + 1] == '/');
    if (is_alone) out.replace(i, 1, "%5F");
  }
}

void append_source_path(std::string& out, std::string_view site, std::string_view source) {
  out += '/';
  out += site;
  out += '/';
  append_encoded_source(out, source);
}

[[nodiscard]] Failure not_canonical(std::string_view reason, std::string option = {}) {
  return fail_public(ErrorCode::BadRequest, "not canonical: " + std::string(reason),
                     std::move(option));
}

Result<> parse_item(CanonicalOptions& out, std::string_view item) {
  std::size_t dash = item.find('-');
  const OptionSpec* spec = find_option(item.substr(0, dash));
  if (spec == nullptr || dash == std::string_view::npos) {
    return not_canonical("\"" + shown(item) +
                         "\" is no option: options are name-value, joined by _");
  }
  std::string name(spec->name);
  if (spec->id == OptionId::Preset) return not_canonical("a preset must be resolved", name);
  if (spec->id == OptionId::Format) return not_canonical("the format is the extension", name);
  std::string_view value = item.substr(dash + 1);
  out.named |= bit_of(spec->id);
  if (spec->id == OptionId::Version) {
    auto token = parse_token(spec->id, value);
    if (!token) return not_canonical(token.error().detail, name);
    out.version = std::move(*token);
    return {};
  }
  auto is_set = set_option(out.transformation, spec->id, value);
  if (!is_set) return not_canonical(is_set.error().detail, name);
  return {};
}

// Understands more than is canonical, so that the failure can say what would be.
Result<CanonicalOptions> parse_loosely(std::string_view text) {
  std::size_t dot = text.rfind('.');
  auto format = dot == std::string_view::npos ? std::nullopt : format_named(text.substr(dot + 1));
  if (!format || !is_answerable(*format)) {
    return not_canonical("\"" + shown(text) + "\" must end in .avif, .webp, .jpeg, .png or .jpng",
                         "f");
  }
  CanonicalOptions out;
  out.transformation.format_auto = false;
  out.transformation.format = *format;
  out.named = bit_of(OptionId::Format);
  std::string_view items = text.substr(0, dot);
  if (items == kNoOptions) return out;
  while (true) {
    std::size_t end = items.find('_');
    TRY(parse_item(out, items.substr(0, end)));
    if (end == std::string_view::npos) return out;
    items.remove_prefix(end + 1);
  }
}

}  // namespace

std::string canonical_path(const Ask& ask, const Transformation& settled) {
  std::string out;
  // Room for any ordinary set of options, so that one allocation does.
  out.reserve(ask.site.size() + ask.source.size() + ask.version.size() + 96);
  append_source_path(out, ask.site, ask.source);
  out += kMarker;
  append_options(out, settled, ask.version);
  return out;
}

std::string asked_path(const Ask& ask) {
  const Transformation& t = ask.transformation;
  std::string options;
  for (const OptionSpec& spec : option_table()) {
    bool is_extension = spec.id == OptionId::Format && !t.format_auto;
    if ((ask.named & bit_of(spec.id)) == 0 || is_extension) continue;
    options.append("_").append(spec.name).append("-");
    if (spec.id == OptionId::Preset) options += ask.preset;
    if (spec.id == OptionId::Version) options += ask.version;
    append_option(options, t, spec.id);
  }
  std::string out = source_path(ask.site, ask.source);
  out.append(kMarker).append(options.empty() ? kNoOptions : std::string_view(options).substr(1));
  return out.append(".").append(t.format_auto ? "auto" : name_of(t.format));
}

std::string canonical_options(const Transformation& settled, std::string_view version) {
  std::string out;
  out.reserve(version.size() + 64);
  append_options(out, settled, version);
  return out;
}

std::string source_path(std::string_view site, std::string_view source) {
  std::string out;
  out.reserve(site.size() + source.size() + 8);
  append_source_path(out, site, source);
  return out;
}

Result<CanonicalOptions> parse_canonical_options(std::string_view text) {
  TRY(auto parsed, parse_loosely(text));
  Ask ask;
  ask.transformation = parsed.transformation;
  auto settled = settle(ask, {}, {});
  if (!settled) return not_canonical(settled.error().detail, settled.error().option);
  parsed.transformation = *settled;
  std::string canonical = canonical_options(parsed.transformation, parsed.version);
  if (canonical != text) {
    return not_canonical("\"" + shown(text) + "\" is written \"" + canonical + "\"");
  }
  return parsed;
}

std::string cache_key(std::string_view canonical_path) {
  return hex(sha256(view_of(canonical_path)));
}

}  // namespace tintype

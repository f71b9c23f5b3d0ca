// SPDX-License-Identifier: Apache-2.0
#include "transform/native_url.h"

#include <optional>

#include "base/text.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

std::optional<std::string> value_of(const Ask& ask, OptionId id) {
  if (id == OptionId::Preset) return ask.preset.empty() ? std::nullopt : std::optional(ask.preset);
  if (id == OptionId::Version) {
    return ask.version.empty() ? std::nullopt : std::optional(ask.version);
  }
  return print_option(ask.transformation, id);
}

}  // namespace

std::string native_url(const Ask& ask, std::uint32_t filled) {
  std::string url = source_path(ask.site, ask.source);
  char separator = '?';
  for (const OptionSpec& spec : option_table()) {
    auto value = value_of(ask, spec.id);
    bool is_filled = !value && (filled & ask.named & bit_of(spec.id)) != 0;
    if (is_filled) value = print_default(ask.transformation, spec.id);
    if (!value) continue;
    url += separator;
    url.append(spec.name).append("=").append(percent_encode(*value, ":,"));
    separator = '&';
  }
  return url;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "replay/spelling.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/text.h"
#include "dialect/dialect.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

using enum SpellingDifference;

// In the order of the enumeration.
constexpr std::array<std::string_view, kSpellingDifferenceCount> kNames = {
    "another URL language", "parameter order",        "alias of an option",
    "upper case",           "default or no effect",   "unknown parameter dropped",
    "percent-encoding",     "option named twice",     "format left to Accept",
    "spelling of a number", "dpr or ratio folded in", "preset expanded"};

std::uint16_t set_if(bool condition, SpellingDifference difference) {
  return condition ? bit_of(difference) : std::uint16_t{0};
}

bool has_upper_case(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool has_escape(std::string_view text) {
  return text.find_first_of("%+") != std::string_view::npos;
}

// "0800", "1.50", "2." where 800, 1.5 and 2 would do.
bool is_odd_number(std::string_view text) {
  bool is_number = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!is_number) return false;
  bool leads_with_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
  bool has_point = text.find('.') != std::string_view::npos;
  return leads_with_zero || text[0] == '.' ||
         (has_point && (text.back() == '0' || text.back() == '.'));
}

// An option that was named and is not in the canonical path any more.
std::uint16_t vanished(OptionId id, const Ask& asked, const Transformation& settled) {
  if (id == OptionId::Preset || id == OptionId::Version || id == OptionId::Format) {
    return set_if(id == OptionId::Format && asked.transformation.format_auto, Default);
  }
  if (print_option(settled, id)) return 0;
  bool has_side = settled.width_px || settled.height_px;
  bool is_folded = (id == OptionId::Dpr && has_side && asked.transformation.dpr_e2 != 100) ||
                   (id == OptionId::AspectRatio && has_side);
  return bit_of(is_folded ? Folded : Default);
}

// Our own language: every parameter is looked up in the table of options.
std::uint16_t native_differences(std::string_view target, const Ask& asked,
                                 const Transformation& settled) {
  std::uint16_t found = 0;
  std::uint32_t seen = 0;
  int last = -1;
  for (std::string_view parameter : raw_parameters(target)) {
    found |= set_if(has_escape(parameter), Encoding);
    std::string_view name = raw_name(parameter);
    const OptionSpec* spec = find_option(percent_decode(name).value_or(std::string(name)));
    if (spec == nullptr) continue;
    std::string_view value = parameter.substr(std::min(name.size() + 1, parameter.size()));
    bool is_token = spec->id == OptionId::Preset || spec->id == OptionId::Version;
    found |= set_if(has_upper_case(name) || (!is_token && has_upper_case(value)), Case);
    found |= set_if(lower(name) != spec->name, Alias);
    found |= set_if(!is_token && is_odd_number(value), Number);
    found |= set_if((seen & bit_of(spec->id)) != 0, Duplicate);
    found |= set_if(static_cast<int>(spec->id) < last, Order);
    found |= vanished(spec->id, asked, settled);
    seen |= bit_of(spec->id);
    last = static_cast<int>(spec->id);
  }
  return found;
}

// Of another language only what can be seen without knowing its words.
std::uint16_t foreign_differences(std::string_view target) {
  std::uint16_t found = bit_of(Language);
  std::set<std::string_view> seen;
  std::string_view last;
  for (std::string_view parameter : raw_parameters(target)) {
    std::string_view name = raw_name(parameter);
    found |= set_if(has_escape(parameter), Encoding);
    found |= set_if(has_upper_case(name), Case);
    found |= set_if(!seen.insert(name).second, Duplicate);
    found |= set_if(name < last, Order);
    last = name;
  }
  return found;
}

std::uint16_t differences_of(std::string_view target, const NamedVariant& named, const Ask& asked) {
  if (asked.is_canonical) return 0;
  std::string_view path = target.substr(0, target.find('?'));
  const Mount* mount = find_mount(named.policy->mounts, path);
  bool is_native = mount == nullptr || mount->dialect == Dialect::Native;
  std::uint16_t found =
      is_native ? native_differences(target, asked, named.settled) : foreign_differences(target);
  // The canonical path holds the source in its one spelling.
  std::string source = source_path("s", asked.source).substr(3);
  found |= set_if(is_native && !path.ends_with(source), Encoding);
  found |= set_if(!asked.unknown.empty(), Dropped);
  found |= set_if(!asked.preset.empty(), Preset);
  found |= set_if((named.hints_read & kAcceptBit) != 0, Accept);
  return found;
}

}  // namespace

std::string_view name_of(SpellingDifference difference) {
  return kNames[static_cast<std::size_t>(difference)];
}

Result<NamedTarget> name_target(const AskedTarget& asked, const SharedPolicy& policy) {
  Viewing viewing{.target = asked.target, .hints = {.accept = asked.accept}};
  TRY(NamedVariant variant, name_variant(viewing, policy, asked.unix_seconds));
  TRY(Ask ask, parse_target(asked.target, policy->mounts));
  NamedTarget named;
  named.differences = differences_of(asked.target, variant, ask);
  SettleRules rules = rules_of(*variant.site);
  rules.snaps_widths = true;
  // A canonical path is served as it stands; by then the page has to ask for another.
  TRY(Transformation stepped, settle(variant.ask, viewing.hints, rules));
  named.stepped = stepped == variant.settled ? variant.path : canonical_path(variant.ask, stepped);
  named.path = std::move(variant.path);
  named.width_px = variant.settled.width_px.value_or(0);
  named.stepped_width_px = stepped.width_px.value_or(0);
  if ((variant.hints_read & kAcceptBit) != 0) {
    named.vary = static_cast<std::uint8_t>(static_cast<int>(variant.settled.format) + 1);
  }
  named.dropped = std::move(ask.unknown);
  return named;
}

std::vector<std::string_view> raw_parameters(std::string_view target) {
  std::vector<std::string_view> parameters;
  std::size_t question = target.find('?');
  if (question == std::string_view::npos) return parameters;
  for (std::string_view part : split(target.substr(question + 1), '&')) {
    if (!part.empty()) parameters.push_back(part);
  }
  return parameters;
}

std::string_view raw_name(std::string_view parameter) {
  return parameter.substr(0, parameter.find('='));
}

std::string without_parameter(std::string_view target, std::string_view name) {
  std::string kept(target.substr(0, target.find('?')));
  char separator = '?';
  for (std::string_view parameter : raw_parameters(target)) {
    if (raw_name(parameter) == name) continue;
    kept += std::exchange(separator, '&');
    kept += parameter;
  }
  return kept;
}

}  // namespace tintype

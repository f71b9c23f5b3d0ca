// SPDX-License-Identifier: Apache-2.0
#include "store/policy_items.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "base/hash.h"
#include "base/text.h"
#include "policy/quote.h"
#include "policy/yaml_reader.h"
#include "store/policy_tree.h"

namespace tintype {
namespace {

constexpr std::size_t kVersionDigits = 8;
constexpr std::string_view kRules = "rules";  // the name of the piece that holds the rest

// The fields of a site that are pieces of their own. The other fields are the piece site#rules.
struct Part {
  std::string_view field, kind;
  bool is_whole;  // one piece; else each entry is one
};
constexpr Part kParts[] = {
    {"fallback_origins", "origin", true},
    {"hooks", "hook", false},
    {"mounts", "mount", false},
    {"origin", "origin", true},
    {"origins", "origin", true},
    {"presets", "preset", false},
    {"signing", "key", true},
};

bool is_index(std::string_view name) {
  return name.starts_with('@') && parse_int(name.substr(1)).has_value();
}

// Whether the entries of a field can be pieces: others stay in the rules, as they are, and
// parse_policy says what is wrong with them.
bool is_divisible(const PolicyTree& field) {
  if (field.empty()) return false;
  if (field.is_array()) return field.size() <= 1000;
  if (!field.is_object()) return false;
  for (const auto& [key, value] : field.items()) {
    if (key.empty() || key.starts_with('@')) return false;
  }
  return true;
}

std::string index_name(std::size_t index) {
  char text[8];
  std::snprintf(text, sizeof text, "@%03u", static_cast<unsigned>(index));
  return text;
}

void split_field(const Part& part, const PolicyTree& field, SiteItems& items) {
  std::string kind(part.kind);
  if (field.is_array()) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      items.push_back({kind, index_name(i), json_of(field[i])});
    }
    return;
  }
  for (const auto& [name, value] : field.items()) items.push_back({kind, name, json_of(value)});
}

SiteItems split_site(PolicyTree site) {
  SiteItems items;
  if (site.is_object()) {
    for (const Part& part : kParts) {
      auto field = site.find(part.field);
      if (field == site.end()) continue;
      if (part.is_whole) {
        items.push_back({std::string(part.kind), std::string(part.field), json_of(*field)});
      } else if (is_divisible(*field)) {
        split_field(part, *field, items);
      } else {
        continue;
      }
      site.erase(field);
    }
  }
  items.push_back({"site", std::string(kRules), json_of(site)});
  std::sort(items.begin(), items.end());
  return items;
}

Failure refuse(std::string_view site, const PolicyItem& item, std::string_view reason) {
  return fail_public(ErrorCode::BadRequest, label_of(site, item) + ": " + std::string(reason));
}

// Writes the text of one site, a piece a line.
class SiteWriter {
 public:
  SiteWriter(PolicyText& out, std::string_view site, bool is_first) : out_(out), site_(site) {
    line((is_first ? "" : ", ") + json_string(site) + ": {", "site " + std::string(site));
  }

  Result<> write(const SiteItems& items) {
    for (const PolicyItem& item : items) {
      if (item.kind == "site") TRY(write_rules(item));
    }
    for (const Part& part : kParts) {
      if (part.is_whole) {
        TRY(write_whole(part, items));
      } else {
        TRY(write_entries(part, items));
      }
    }
    for (const PolicyItem& item : items) {
      if (!is_known(item)) return refuse(site_, item, "is not a piece that this version knows");
    }
    line("}", "site " + site_);
    return {};
  }

 private:
  static bool is_known(const PolicyItem& item) {
    if (item.kind == "site") return item.name == kRules;
    return std::any_of(std::begin(kParts), std::end(kParts), [&](const Part& part) {
      return part.kind == item.kind && (!part.is_whole || part.field == item.name);
    });
  }

  void line(std::string text, std::string label) {
    out_.text += std::move(text) + "\n";
    out_.lines.push_back({site_, std::move(label)});
  }

  // One "name": value of the site's map.
  void field(std::string_view name, std::string_view value, const std::string& label) {
    line(comma() + json_string(name) + ": " + std::string(value), label);
  }
  std::string comma() { return std::exchange(has_field_, true) ? ", " : ""; }

  Result<PolicyTree> read(const PolicyItem& item) const {
    auto tree = tree_of_json(item.doc);
    if (!tree) return refuse(site_, item, tree.error().detail);
    return tree;
  }

  Result<> write_rules(const PolicyItem& item) {
    TRY(PolicyTree tree, read(item));
    if (!tree.is_object() && !tree.is_null()) return refuse(site_, item, "is not a JSON object");
    for (const auto& [name, value] : tree.items()) {
      field(name, json_of(value), label_of(site_, item));
    }
    return {};
  }

  Result<> write_whole(const Part& part, const SiteItems& items) {
    for (const PolicyItem& item : items) {
      if (item.kind != part.kind || item.name != part.field) continue;
      TRY(PolicyTree tree, read(item));
      field(part.field, json_of(tree), label_of(site_, item));
    }
    return {};
  }

  Result<> write_entries(const Part& part, const SiteItems& items) {
    const PolicyItem* first = nullptr;
    for (const PolicyItem& item : items) {
      if (item.kind != part.kind) continue;
      bool is_list = is_index(item.name);
      if (first == nullptr) {
        line(comma() + json_string(part.field) + (is_list ? ": [" : ": {"), "site " + site_);
      } else if (is_list != is_index(first->name)) {
        return refuse(site_, item, "does not fit beside " + first->kind + " " + first->name);
      }
      TRY(PolicyTree tree, read(item));
      std::string entry = first == nullptr ? "" : ", ";
      if (!is_list) entry += json_string(item.name) + ": ";
      line(entry + json_of(tree), label_of(site_, item));
      if (first == nullptr) first = &item;
    }
    if (first != nullptr) line(is_index(first->name) ? "]" : "}", "site " + site_);
    return {};
  }

  PolicyText& out_;
  std::string site_;
  bool has_field_ = false;
};

// The N of "line N: …", and what follows.
struct AtLine {
  std::size_t line = 0;
  std::string_view rest;
};
std::optional<AtLine> find_line(std::string_view detail) {
  constexpr std::string_view kBegin = "line ";
  auto colon = detail.find(": ");
  if (!detail.starts_with(kBegin) || colon == std::string_view::npos) return std::nullopt;
  auto number = parse_int(detail.substr(kBegin.size(), colon - kBegin.size()));
  if (!number || *number < 1) return std::nullopt;
  return AtLine{static_cast<std::size_t>(*number), detail.substr(colon + 2)};
}

}  // namespace

Result<PolicyItems> split_policy(const std::string& yaml) {
  TRY(YamlReader root, YamlReader::parse(yaml));
  auto sites = root.child("sites");
  PolicyItems items;
  if (!sites) return items;
  if (!sites->is_map()) return fail(sites->error("site names and their rules are expected here"));
  for (const std::string& name : sites->keys()) {
    items[name] = split_site(tree_of(*sites->child(name)));
  }
  return items;
}

std::string label_of(std::string_view site, const PolicyItem& item) {
  std::string label = "site " + std::string(site);
  if (item.kind == "site") return label;
  if (is_index(item.name)) {
    return label + ", " + item.kind + " [" + std::to_string(*parse_int(item.name.substr(1))) + "]";
  }
  bool is_whole = std::any_of(std::begin(kParts), std::end(kParts), [&](const Part& part) {
    return part.is_whole && part.field == item.name && part.kind == item.kind;
  });
  return label + ", " + (is_whole ? item.name : item.kind + " " + item.name);
}

std::string revision_of(const SiteItems& items) {
  std::string text;
  for (const PolicyItem& item : items) {
    for (const std::string* part : {&item.kind, &item.name, &item.doc}) {
      text += std::to_string(part->size()) + ':' + *part;
    }
  }
  Hash128 hash = xxh3_128(view_of(text));
  char hexadecimal[33];
  std::snprintf(hexadecimal, sizeof hexadecimal, "%016llx%016llx",
                static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return hexadecimal;
}

std::string sort_prefix_of(std::int64_t version) {
  std::string digits = std::to_string(version);
  return std::string(kVersionDigits - std::min(kVersionDigits, digits.size()), '0') + digits + "#";
}

std::string sort_key_of(std::int64_t version, const PolicyItem& item) {
  return sort_prefix_of(version) + item.kind + "#" + item.name;
}

std::optional<SortKey> parse_sort_key(std::string_view sk) {
  auto first = sk.find('#');
  auto second = first == std::string_view::npos ? first : sk.find('#', first + 1);
  if (first != kVersionDigits || second == std::string_view::npos) return std::nullopt;
  auto version = parse_int(sk.substr(0, first));
  if (!version || *version < 1) return std::nullopt;
  return SortKey{*version, std::string(sk.substr(first + 1, second - first - 1)),
                 std::string(sk.substr(second + 1))};
}

Error PolicyText::explain(Error error) const {
  auto at = find_line(error.detail);
  if (!at || at->line > lines.size()) return error;
  const std::string& label = lines[at->line - 1].label;
  error.detail = (label.empty() ? "" : label + ": ") + std::string(at->rest);
  error.message = error.detail;
  return error;
}

std::string PolicyText::site_of(const Error& error) const {
  auto at = find_line(error.detail);
  return !at || at->line > lines.size() ? std::string() : lines[at->line - 1].site;
}

Result<PolicyText> assemble_policy(const PolicyItems& sites) {
  PolicyText out;
  out.text = "{\"sites\": {\n";
  out.lines.emplace_back();
  bool is_first = true;
  for (const auto& [site, items] : sites) {
    SiteWriter writer(out, site, is_first);
    TRY(writer.write(items));
    is_first = false;
  }
  out.text += "}}\n";
  out.lines.emplace_back();
  return out;
}

}  // namespace tintype

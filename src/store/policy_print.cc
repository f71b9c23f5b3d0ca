// SPDX-License-Identifier: Apache-2.0
#include "store/policy_print.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "policy/yaml_reader.h"
#include "store/policy_tree.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxFlowColumns = 90;  // a list that fits is written on one line
constexpr std::size_t kMaxShownBytes = 120;  // of one value in a diff

// ---- YAML

// Whether YAML of any reader takes these letters as this text, or as this number or truth.
bool is_plain(std::string_view text) {
  if (is_bare(text)) return true;
  static constexpr std::array<std::string_view, 10> kWords = {
      "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"};
  if (std::find(kWords.begin(), kWords.end(), lower(text)) != kWords.end()) return false;
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !(is_letter(text[0]) || is_digit(text[0]) || text[0] == '/')) return false;
  bool is_safe = std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("/._-+=&~").find(c) != text.npos;
  });
  // "1e3", "0x1F", "1.5" and "2026-11-24" are other things than texts in YAML; "30d" is not.
  bool is_like_number =
      is_digit(text[0]) && text.find_first_not_of("0123456789abcdefABCDEFoxX._+-") == text.npos;
  bool is_duration =
      is_like_number && text.ends_with('d') && std::all_of(text.begin(), text.end() - 1, is_digit);
  return is_safe && (!is_like_number || is_duration);
}

std::string scalar(const PolicyTree& value) {
  if (!value.is_string()) return "null";
  const auto& text = value.get_ref<const std::string&>();
  return is_plain(text) ? text : json_string(text);
}

std::string key_text(const std::string& key) {
  return is_plain(key) && !is_bare(key) ? key : json_string(key);
}

bool is_leaf(const PolicyTree& value) {
  return value.empty() || !value.is_structured();
}

std::string flow(const PolicyTree& value) {
  if (!value.is_structured()) return scalar(value);
  if (value.empty()) return value.is_array() ? "[]" : "{}";
  std::string out = value.is_array() ? "[" : "{ ";
  const char* separator = "";
  for (const auto& [key, item] : value.items()) {
    out += separator;
    if (value.is_object()) out += key_text(key) + ": ";
    out += flow(item);
    separator = ", ";
  }
  return out + (value.is_array() ? "]" : " }");
}

// On one line: leaves, lists and maps of leaves as long as they are short.
bool is_on_one_line(const PolicyTree& value, std::size_t column) {
  if (is_leaf(value)) return true;
  bool is_flat = std::all_of(value.begin(), value.end(), is_leaf);
  return is_flat && column + flow(value).size() <= kMaxFlowColumns;
}

void append_block(std::string& out, const PolicyTree& value, std::size_t indent);

// What stands behind "key:" or "-".
void append_value(std::string& out, const PolicyTree& value, std::size_t indent) {
  std::size_t column = out.size() - (out.rfind('\n') + 1);
  if (is_on_one_line(value, column)) {
    out += " " + flow(value) + "\n";
    return;
  }
  out += "\n";
  append_block(out, value, indent + 2);
}

void append_block(std::string& out, const PolicyTree& value, std::size_t indent) {
  for (const auto& [key, item] : value.items()) {
    if (value.is_array() && !is_on_one_line(item, indent + 2)) {
      std::size_t begin = out.size();
      append_block(out, item, indent + 2);
      out[begin + indent] = '-';  // before the item's first line
      continue;
    }
    out.append(indent, ' ');
    out += value.is_array() ? "-" : key_text(key) + ":";
    append_value(out, item, indent);
  }
}

// ---- differences

// Fields whose values are secrets, or may hold one.
bool is_secret(std::string_view path) {
  static constexpr std::array<std::string_view, 8> kSecret = {
      "bearer", "keys", "key", "salt", "secret", "secrets", "client_secret", "headers"};
  for (std::string_view part : split(path, '.')) {
    part = part.substr(0, part.find('['));
    if (std::find(kSecret.begin(), kSecret.end(), part) != kSecret.end()) return true;
  }
  return false;
}

using Leaves = std::map<std::string, std::string>;

void collect(const PolicyTree& tree, const std::string& path, Leaves& leaves) {
  if (is_leaf(tree)) {
    leaves[path] = flow(tree);
    return;
  }
  std::size_t index = 0;
  for (const auto& [key, value] : tree.items()) {
    if (tree.is_array()) {
      collect(value, path + "[" + std::to_string(index++) + "]", leaves);
    } else {
      collect(value, path.empty() ? key : path + "." + key, leaves);
    }
  }
}

Leaves leaves_of(const PolicyItem& item) {
  Leaves leaves;
  auto tree = tree_of_json(item.doc);
  if (tree) {
    collect(*tree, "", leaves);
  } else {
    leaves[""] = item.doc;
  }
  return leaves;
}

class DiffWriter {
 public:
  explicit DiffWriter(DiffStyle style) : style_(style) {}

  void piece(char sign, const PolicyItem& item) { line(style_.indent, sign, title_of(item)); }

  // Nothing when they are written differently only.
  void changes(const PolicyItem& before, const PolicyItem& after) {
    Leaves old_leaves = leaves_of(before), new_leaves = leaves_of(after);
    if (old_leaves == new_leaves) return;
    piece('~', before);
    for (const auto& [path, value] : old_leaves) {
      auto now = new_leaves.find(path);
      if (now != new_leaves.end() && now->second == value) continue;
      leaf('-', path, value);
      if (now != new_leaves.end()) leaf('+', path, now->second);
    }
    for (const auto& [path, value] : new_leaves) {
      if (!old_leaves.contains(path)) leaf('+', path, value);
    }
  }

  void leaves(char sign, const PolicyItem& item) {
    for (const auto& [path, value] : leaves_of(item)) leaf(sign, path, value);
  }

  std::string text() const { return out_; }

 private:
  static std::string title_of(const PolicyItem& item) {
    if (item.kind == "site") return "rules";
    return label_of("", item).substr(std::string_view("site , ").size());
  }

  void leaf(char sign, const std::string& path, const std::string& value) {
    std::string shown = is_secret(path) ? "(hidden)" : value;
    if (shown.size() > kMaxShownBytes) shown = shown.substr(0, kMaxShownBytes) + "…";
    line(style_.indent + 4, sign, path.empty() ? shown : path + ": " + shown);
  }

  void line(int indent, char sign, const std::string& text) {
    const char* colour = sign == '+' ? "\x1b[32m" : sign == '-' ? "\x1b[31m" : "\x1b[33m";
    out_.append(static_cast<std::size_t>(indent), ' ');
    if (style_.with_colour) out_ += colour;
    out_ += std::string(1, sign) + " " + text;
    if (style_.with_colour) out_ += "\x1b[0m";
    out_ += "\n";
  }

  DiffStyle style_;
  std::string out_;
};

using Pieces = std::map<std::pair<std::string, std::string>, const PolicyItem*>;

Pieces pieces_of(const SiteItems& items) {
  Pieces pieces;
  for (const PolicyItem& item : items) pieces[{item.kind, item.name}] = &item;
  return pieces;
}

}  // namespace

Result<std::string> policy_as_yaml(const PolicyItems& sites) {
  TRY(PolicyText text, assemble_policy(sites));
  auto root = YamlReader::parse(text.text);
  if (!root) return fail(text.explain(root.error()));
  std::string out = "sites:";
  append_value(out, tree_of(*root->child("sites")), 0);
  return out;
}

std::string diff_of_site(const SiteItems& before, const SiteItems& after, DiffStyle style) {
  Pieces old_pieces = pieces_of(before), new_pieces = pieces_of(after);
  DiffWriter writer(style);
  for (const auto& [key, item] : old_pieces) {
    auto now = new_pieces.find(key);
    if (now == new_pieces.end()) {
      writer.piece('-', *item);
    } else if (now->second->doc != item->doc) {
      writer.changes(*item, *now->second);
    }
  }
  for (const auto& [key, item] : new_pieces) {
    if (old_pieces.contains(key)) continue;
    writer.piece('+', *item);
    writer.leaves('+', *item);
  }
  return writer.text();
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "store/policy_tree.h"

#include <algorithm>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxDepth = 32;  // as YamlReader
// Longer numbers would lose digits in readers that keep them as doubles.
constexpr std::size_t kMaxBareDigits = 15;

// Looked at before anything recursive reads the text.
std::size_t depth_of(std::string_view json) {
  std::size_t depth = 0, deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
      continue;
    }
    if (c == '"') in_text = true;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return deepest;
}

// Numbers and booleans become the texts that they are in YAML.
PolicyTree with_texts(const PolicyTree& tree) {
  if (tree.is_object()) {
    PolicyTree map = PolicyTree::object();
    for (const auto& [key, value] : tree.items()) map[key] = with_texts(value);
    return map;
  }
  if (tree.is_array()) {
    PolicyTree list = PolicyTree::array();
    for (const PolicyTree& value : tree) list.push_back(with_texts(value));
    return list;
  }
  if (tree.is_string() || tree.is_null()) return tree;
  return tree.dump();
}

void append_json(std::string& out, const PolicyTree& tree) {
  const char* separator = "";
  if (tree.is_object()) {
    out += '{';
    for (const auto& [key, value] : tree.items()) {
      out += separator;
      append_json_string(out, key);
      out += ": ";
      append_json(out, value);
      separator = ", ";
    }
    out += '}';
  } else if (tree.is_array()) {
    out += '[';
    for (const PolicyTree& value : tree) {
      out += separator;
      append_json(out, value);
      separator = ", ";
    }
    out += ']';
  } else if (tree.is_string()) {
    const auto& text = tree.get_ref<const std::string&>();
    if (is_bare(text)) {
      out += text;
    } else {
      append_json_string(out, text);
    }
  } else {
    out += "null";
  }
}

}  // namespace

PolicyTree tree_of(const YamlReader& at) {
  if (at.is_map()) {
    PolicyTree map = PolicyTree::object();
    for (const std::string& key : at.keys()) map[key] = tree_of(*at.child(key));
    return map;
  }
  if (at.is_list()) {
    PolicyTree list = PolicyTree::array();
    for (const YamlReader& item : at.items()) list.push_back(tree_of(item));
    return list;
  }
  auto text = at.as_text();
  return text ? PolicyTree(std::move(*text)) : PolicyTree();
}

Result<PolicyTree> tree_of_json(std::string_view text) {
  if (depth_of(text) > kMaxDepth) {
    return fail_public(ErrorCode::BadRequest, "is nested too deeply");
  }
  PolicyTree read = PolicyTree::parse(text, nullptr, false);
  if (read.is_discarded()) return fail_public(ErrorCode::BadRequest, "is not JSON");
  return with_texts(read);
}

std::string json_of(const PolicyTree& tree) {
  std::string out;
  append_json(out, tree);
  return out;
}

bool is_bare(std::string_view text) {
  if (text == "true" || text == "false" || text == "0") return true;
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  return !digits.empty() && digits.size() <= kMaxBareDigits && digits[0] != '0' &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace tintype

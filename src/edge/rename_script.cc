// SPDX-License-Identifier: Apache-2.0
#include "edge/rename_script.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;
using Names = std::map<std::string, std::string>;  // from long to short
using Counts = std::map<std::string, int>;

// Words of one and two letters that are no names.
constexpr auto kTaken = std::to_array<std::string_view>({"do", "if", "in", "of", "as"});

// a, b, …, $, aa, ab, …
std::string short_name(std::size_t number) {
  static constexpr std::string_view kFirst =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";
  static constexpr std::string_view kLater =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$0123456789";
  if (number < kFirst.size()) return std::string(1, kFirst[number]);
  number -= kFirst.size();
  return std::string(1, kFirst[number / kLater.size() % kFirst.size()]) +
         kLater[number % kLater.size()];
}

// The names that an item declares inside itself, and at what depth of blocks.
class Declarations {
 public:
  explicit Declarations(const ScriptItem& item) : script_(item.tokens) {
    for (std::size_t i = 0; i < script_.size(); ++i) {
      const ScriptToken& token = script_[i];
      if (token.is("{") && !token.is_object) ++depth_;
      if (token.is("}") && !token.is_object) --depth_;
      if (token.is("let") || token.is("const")) take_list(i + 1);
      if (token.is("function") || token.is("catch")) take_parameters(i + 1);
      if (token.is("=>")) take_arrow(i);
    }
    if (!item.is_function) return;
    if (script_[0].is("(")) take_group(0, false);
    if (script_[0].kind == Kind::Name) add(0, false);
  }

  struct Place {
    int line = 0;
    bool is_inner = false;  // not of the function's own parameters or body
    int times = 0;
  };
  const std::map<std::string, Place>& names() const { return names_; }

 private:
  void add(std::size_t at, bool is_inner) {
    auto [place, is_new] = names_.emplace(script_[at].text, Place{script_[at].line, is_inner});
    if (seen_.insert(at).second) ++place->second.times;
    if (!is_new && !is_inner) place->second.is_inner = false;
  }

  // "a = 1, b" behind let or const: names at the begin and behind commas outside of all brackets.
  void take_list(std::size_t at) {
    int depth = 0;
    for (bool is_begin = true; at < script_.size(); ++at) {
      const ScriptToken& token = script_[at];
      if (is_begin && token.kind == Kind::Name) add(at, depth_ > 1);
      is_begin = depth == 0 && token.is(",");
      if (token.is("(") || token.is("[") || token.is("{")) ++depth;
      if (token.is(")") || token.is("]") || token.is("}")) --depth;
      if (depth < 0 || (depth == 0 && (token.is(";") || token.is("in")))) return;
    }
  }

  void take_group(std::size_t open, bool is_inner) {
    for (std::size_t i = open + 1; i < mate_of(script_, open); ++i) {
      if (script_[i].kind == Kind::Name) add(i, is_inner);
    }
  }

  // Of "function (a, b)", "function name(a, b)", "catch (e)".
  void take_parameters(std::size_t at) {
    if (at < script_.size() && script_[at].kind == Kind::Name) add(at++, depth_ > 1);
    if (at < script_.size() && script_[at].is("(")) take_group(at, true);
  }

  // Of "a =>" and "(a, b) =>".
  void take_arrow(std::size_t arrow) {
    if (arrow == 0) return;
    std::size_t at = arrow - 1;
    if (script_[at].kind == Kind::Name) return add(at, true);
    while (at > 0 && !script_[at].is("(")) --at;
    take_group(at, true);
  }

  const Script& script_;
  int depth_ = 0;
  std::set<std::size_t> seen_;
  std::map<std::string, Place> names_;
};

std::vector<std::string> by_use(const Counts& counts) {
  std::vector<std::string> names;
  for (const auto& [name, count] : counts) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return counts.at(a) > counts.at(b);
  });
  return names;
}

// The most used names become the shortest that are not in `taken`.
Names assign(const Counts& counts, std::set<std::string> taken) {
  Names out;
  std::size_t next = 0;
  for (const std::string& name : by_use(counts)) {
    std::string candidate = short_name(next++);
    while (taken.contains(candidate)) candidate = short_name(next++);
    out[name] = candidate;
  }
  return out;
}

std::set<std::string> taken_words() {
  return {kTaken.begin(), kTaken.end()};
}

class Renaming {
 public:
  Renaming(std::vector<ScriptItem>& items, std::span<const std::string> kept) : items_(items) {
    for (const ScriptItem& item : items_) globals_.insert(item.name);
    for (const std::string& name : kept) kept_.insert(name);
  }

  Result<> run() {
    TRY(find_locals());
    name_globals();
    for (std::size_t i = 0; i < items_.size(); ++i) rename(items_[i], locals_[i]);
    return {};
  }

 private:
  Result<> find_locals() {
    for (const ScriptItem& item : items_) {
      const Declarations declared(item);
      std::set<std::string> locals;
      for (const auto& [name, place] : declared.names()) {
        if (place.is_inner && globals_.contains(name)) {
          return script_fault(item.file, place.line,
                              name + " is also the name of a function or constant");
        }
        locals.insert(name);
      }
      locals_.push_back(std::move(locals));
    }
    return {};
  }

  void name_globals() {
    Counts counts;
    std::set<std::string> taken = taken_words();
    for (const std::string& name : globals_) {
      if (kept_.contains(name)) {
        taken.insert(name);
      } else {
        counts[name] = 1;
      }
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {
      for (const ScriptToken& token : items_[i].tokens) {
        if (token.kind != Kind::Name || locals_[i].contains(token.text)) continue;
        if (auto count = counts.find(token.text); count != counts.end()) {
          ++count->second;
        } else {
          taken.insert(token.text);  // the engine's own: Math, String
        }
      }
    }
    global_names_ = assign(counts, std::move(taken));
    for (const std::string& name : kept_) global_names_[name] = name;
  }

  void rename(ScriptItem& item, const std::set<std::string>& locals) {
    Counts counts;
    std::set<std::string> taken = taken_words();
    for (const ScriptToken& token : item.tokens) {
      if (token.kind != Kind::Name) continue;
      if (locals.contains(token.text)) {
        ++counts[token.text];
      } else {
        auto global = global_names_.find(token.text);
        taken.insert(global == global_names_.end() ? token.text : global->second);
      }
    }
    Names names = assign(counts, std::move(taken));
    for (ScriptToken& token : item.tokens) {
      if (token.kind != Kind::Name) continue;
      const Names& from = locals.contains(token.text) ? names : global_names_;
      if (auto name = from.find(token.text); name != from.end()) token.text = name->second;
    }
    if (auto name = global_names_.find(item.name); name != global_names_.end()) {
      item.name = name->second;
    }
  }

  std::vector<ScriptItem>& items_;
  std::set<std::string> globals_, kept_;
  std::vector<std::set<std::string>> locals_;  // of each item
  Names global_names_;
};

}  // namespace

std::map<std::string, int> declared_names(const ScriptItem& item) {
  std::map<std::string, int> out;
  const Declarations declarations(item);
  for (const auto& [name, place] : declarations.names()) out[name] = place.times;
  return out;
}

Result<> rename_items(std::vector<ScriptItem>& items, std::span<const std::string> kept) {
  return Renaming(items, kept).run();
}

}  // namespace tintype

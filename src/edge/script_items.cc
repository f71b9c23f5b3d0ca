// SPDX-License-Identifier: Apache-2.0
#include "edge/script_items.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;

class ItemReader {
 public:
  ItemReader(const ScriptFile& file, const Script& script) : file_(file), script_(script) {}

  Result<std::vector<ScriptItem>> read() {
    std::vector<ScriptItem> items;
    while (at_ < script_.size()) {
      TRY(ScriptItem item, read_item());
      std::size_t end = script_[at_ - 1].end;
      item.text = file_.text.substr(text_begin_, end - text_begin_);
      text_begin_ = end;
      items.push_back(std::move(item));
    }
    return items;
  }

 private:
  Failure fault(std::string_view what) const {
    return script_fault(file_.name, script_[std::min(at_, script_.size() - 1)].line, what);
  }

  bool is(std::size_t ahead, std::string_view sign) const {
    return at_ + ahead < script_.size() && script_[at_ + ahead].is(sign);
  }
  bool is_name(std::size_t ahead) const {
    return at_ + ahead < script_.size() && script_[at_ + ahead].kind == Kind::Name;
  }

  Result<ScriptItem> read_item() {
    ScriptItem item{.file = file_.name, .line = script_[at_].line};
    if (is(0, "async") && is(1, "function")) {
      item.is_async = true;
      ++at_;
    }
    if (is(0, "function") && is_name(1) && is(2, "(")) return read_function(std::move(item));
    if (is(0, "const") && is_name(1) && is(2, "=")) return read_constant(std::move(item));
    return fault(
        "only 'function name(…) {…}' and 'const NAME = …;' may stand at the top of a file");
  }

  Result<ScriptItem> read_function(ScriptItem item) {
    item.is_function = true;
    item.name = script_[at_ + 1].text;
    std::size_t begin = at_ + 2;
    std::size_t body = mate_of(script_, begin) + 1;
    at_ = std::min(body, script_.size() - 1);
    if (!is(0, "{")) return fault("a function without a body");
    std::size_t end = mate_of(script_, body) + 1;
    item.tokens = slice(begin, end);
    for (std::size_t i = begin; i < body; ++i) item.parameters += script_[i].kind == Kind::Name;
    at_ = end;
    return item;
  }

  Result<ScriptItem> read_constant(ScriptItem item) {
    item.name = script_[at_ + 1].text;
    std::size_t begin = at_ + 3, end = begin;
    while (end < script_.size() && !script_[end].is(";")) {
      bool is_open = script_[end].is("(") || script_[end].is("[") || script_[end].is("{");
      if (script_[end].is(",")) return fault("one constant a statement");
      end = is_open ? mate_of(script_, end) + 1 : end + 1;
    }
    if (end == script_.size() || end == begin) return fault("a constant without a value or a ';'");
    item.tokens = slice(begin, end);
    at_ = end + 1;
    return item;
  }

  Script slice(std::size_t begin, std::size_t end) const {
    return {script_.begin() + static_cast<std::ptrdiff_t>(begin),
            script_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  const ScriptFile& file_;
  const Script& script_;
  std::size_t at_ = 0, text_begin_ = 0;
};

// The licence line of each file is said once, by whoever writes the whole.
std::string without_licence(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (!line.starts_with("// SPDX-License-Identifier:")) out += line;
    at = end;
  }
  return out;
}

// Finds what the roots need, and puts it in order: what an item names stands before it.
class Reach {
 public:
  explicit Reach(const std::vector<ScriptItem>& items)
      : items_(items), needed_(items.size()), placed_(items.size()) {
    for (std::size_t i = 0; i < items.size(); ++i) places_.emplace(items[i].name, i);
  }

  Result<std::vector<std::size_t>> from(std::span<const std::string> roots) {
    for (const std::string& root : roots) {
      auto place = places_.find(root);
      if (place == places_.end()) {
        return fail_public(ErrorCode::BadRequest, "the sources have no function " + root);
      }
      need(place->second);
    }
    // Constants first: where names go in a circle, what a constant names must stand before it, as
    // it is read at once.
    for (bool is_function : {false, true}) {
      for (std::size_t i = 0; i < items_.size(); ++i) {
        if (needed_[i] && items_[i].is_function == is_function) place(i);
      }
    }
    return std::move(order_);
  }

 private:
  void need(std::size_t at) {
    if (needed_[at]) return;
    needed_[at] = true;
    for (std::size_t other : named_by(at)) need(other);
  }

  void place(std::size_t at) {
    if (placed_[at]) return;
    placed_[at] = true;
    for (std::size_t other : named_by(at)) place(other);
    order_.push_back(at);
  }

  std::vector<std::size_t> named_by(std::size_t at) const {
    std::vector<std::size_t> out;
    for (const ScriptToken& token : items_[at].tokens) {
      if (token.kind != Kind::Name) continue;
      if (auto place = places_.find(token.text); place != places_.end())
        out.push_back(place->second);
    }
    return out;
  }

  const std::vector<ScriptItem>& items_;
  std::map<std::string, std::size_t> places_;
  std::vector<bool> needed_, placed_;
  std::vector<std::size_t> order_;
};

}  // namespace

Result<std::vector<ScriptItem>> read_items(std::span<const ScriptFile> files) {
  std::vector<ScriptItem> all;
  std::map<std::string, std::string> owners;
  for (const ScriptFile& file : files) {
    TRY(Script script, read_script(file));
    TRY(std::vector<ScriptItem> items, ItemReader(file, script).read());
    for (ScriptItem& item : items) {
      auto [owner, is_new] = owners.emplace(item.name, item.file);
      if (!is_new) {
        return script_fault(
            item.file, item.line,
            item.name + " is the name of a function or constant of " + owner->second + " already");
      }
      all.push_back(std::move(item));
    }
  }
  return all;
}

Result<std::vector<ScriptItem>> reachable_items(std::vector<ScriptItem> items,
                                                std::span<const std::string> roots) {
  TRY(std::vector<std::size_t> order, Reach(items).from(roots));
  std::vector<ScriptItem> out;
  for (std::size_t i : order) out.push_back(std::move(items[i]));
  return out;
}

Result<std::string> gather_script(std::span<const ScriptFile> files,
                                  std::span<const std::string> roots) {
  TRY(std::vector<ScriptItem> items, read_items(files));
  TRY(items, reachable_items(std::move(items), roots));
  std::string out;
  for (const ScriptItem& item : items) {
    std::string text = without_licence(item.text);
    out += (out.empty() ? "" : "\n") + text.substr(text.find_first_not_of('\n')) + "\n";
  }
  return out;
}

}  // namespace tintype

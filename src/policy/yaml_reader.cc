// SPDX-License-Identifier: Apache-2.0
#include "policy/yaml_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "policy/quote.h"

namespace tintype {
namespace {

// Far above any real settings file, low enough that a poisoned one is refused in milliseconds.
constexpr std::size_t kMaxTextBytes = 4'000'000;
constexpr std::size_t kMaxNodes = 200'000;  // aliases counted as often as they are used
constexpr std::size_t kMaxDepth = 32;

struct Tree;
using SharedTree = std::shared_ptr<const Tree>;

struct MapEntry {
  std::string key;
  int line = 1;
  SharedTree value;
};

struct Tree {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };
  Kind kind = Kind::Null;
  std::string text;
  int line = 1;
  std::size_t nodes = 1;  // of this tree with every alias spelled out
  std::vector<MapEntry> entries;
  std::vector<SharedTree> items;
};

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& reason) {
  throw YAML::ParserException(mark, reason);
}

// Builds the tree from yaml-cpp's events. YAML::Node is not used: it forgets the lines of keys,
// keeps the first of two equal keys without a word, and follows an alias into its own anchor.
class TreeBuilder final : public YAML::EventHandler {
 public:
  SharedTree root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark, "a second document; settings are one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add_leaf(mark, anchor, Tree::Kind::Null, {});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                const std::string& value) override {
    add_leaf(mark, anchor, Tree::Kind::Scalar, value);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "an alias inside of its own anchor");
    add(mark, known->second);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor, Tree::Kind::List);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, anchor, Tree::Kind::Map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Tree tree;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  // maps: a key waits for its value
    std::string key;
    int key_line = 1;
    std::set<std::string> keys;
  };

  void add_leaf(const YAML::Mark& mark, YAML::anchor_t anchor, Tree::Kind kind, std::string text) {
    auto leaf = std::make_shared<Tree>();
    leaf->kind = kind;
    leaf->text = std::move(text);
    leaf->line = mark.line + 1;
    if (anchor != 0) anchors_[anchor] = leaf;
    add(mark, std::move(leaf));
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Tree::Kind kind) {
    if (open_.size() >= kMaxDepth) refuse(mark, "nested too deeply");
    Open next;
    next.tree.kind = kind;
    next.tree.line = mark.line + 1;
    next.mark = mark;
    next.anchor = anchor;
    open_.push_back(std::move(next));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    auto tree = std::make_shared<const Tree>(std::move(done.tree));
    if (done.anchor != 0) anchors_[done.anchor] = tree;
    add(done.mark, std::move(tree));
  }

  void add(const YAML::Mark& mark, SharedTree value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    parent.tree.nodes += value->nodes;
    if (parent.tree.nodes > kMaxNodes) refuse(mark, "too many values");
    if (parent.tree.kind == Tree::Kind::List) {
      parent.tree.items.push_back(std::move(value));
    } else if (!parent.has_key) {
      take_key(parent, mark, *value);
    } else {
      parent.tree.entries.push_back({std::move(parent.key), parent.key_line, std::move(value)});
      parent.has_key = false;
    }
  }

  static void take_key(Open& parent, const YAML::Mark& mark, const Tree& key) {
    if (key.kind != Tree::Kind::Scalar) refuse(mark, "a field name must be a text");
    if (!parent.keys.insert(key.text).second) refuse(mark, "'" + key.text + "' stands here twice");
    parent.key = key.text;
    parent.key_line = mark.line + 1;
    parent.has_key = true;
  }

  int documents_ = 0;
  SharedTree root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, SharedTree> anchors_;
};

// "20 GB" -> 20 and "gb".
struct Measure {
  double number = 0;
  std::string unit;
};
std::optional<Measure> parse_measure(std::string_view text) {
  auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
  auto number = parse_decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  return Measure{*number, lower(trim(text.substr(digits)))};
}

struct Unit {
  std::string_view name;
  double factor;
};

// The measure in whole base units; nothing when malformed, of unknown unit or above `max`.
std::optional<std::int64_t> convert(std::string_view text, std::span<const Unit> units,
                                    double max) {
  auto measure = parse_measure(text);
  if (!measure) return std::nullopt;
  auto unit = std::find_if(units.begin(), units.end(),
                           [&](const Unit& u) { return u.name == measure->unit; });
  if (unit == units.end()) return std::nullopt;
  double value = measure->number * unit->factor;
  if (value > max) return std::nullopt;
  return static_cast<std::int64_t>(value + 0.5);
}

}  // namespace

struct YamlReader::Node {
  SharedTree tree;
  std::string path;
  int line = 1;
};

Result<YamlReader> YamlReader::parse(const std::string& text) {
  auto fault = [](int line, const std::string& reason) {
    return fail_public(ErrorCode::BadRequest, "line " + std::to_string(line) + ": " + reason);
  };
  if (text.size() > kMaxTextBytes) return fault(1, "the text is larger than 4 MB");
  TreeBuilder builder;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    return fault(e.mark.is_null() ? 1 : e.mark.line + 1, e.msg);
  } catch (const std::exception& e) {
    return fault(1, e.what());
  }
  YamlReader reader;
  reader.node_ = std::make_shared<const Node>(
      Node{builder.root() ? builder.root() : std::make_shared<const Tree>(), "", 1});
  return reader;
}

YamlReader YamlReader::scalar(std::string text) {
  auto tree = std::make_shared<Tree>();
  tree->kind = Tree::Kind::Scalar;
  tree->text = std::move(text);
  YamlReader reader;
  reader.node_ = std::make_shared<const Node>(Node{std::move(tree), "", 1});
  return reader;
}

bool YamlReader::is_map() const {
  return node_->tree->kind == Tree::Kind::Map;
}
bool YamlReader::is_list() const {
  return node_->tree->kind == Tree::Kind::List;
}
bool YamlReader::is_scalar() const {
  return node_->tree->kind == Tree::Kind::Scalar;
}
bool YamlReader::is_null() const {
  return node_->tree->kind == Tree::Kind::Null;
}
int YamlReader::line() const {
  return node_->line;
}
std::string YamlReader::path() const {
  return node_->path;
}

std::optional<YamlReader> YamlReader::child(std::string_view key) const {
  for (const MapEntry& entry : node_->tree->entries) {
    if (entry.key != key) continue;
    YamlReader reader;
    reader.node_ = std::make_shared<const Node>(Node{
        entry.value, node_->path.empty() ? entry.key : node_->path + "." + entry.key, entry.line});
    return reader;
  }
  return std::nullopt;
}

std::vector<std::string> YamlReader::keys() const {
  std::vector<std::string> keys;
  for (const MapEntry& entry : node_->tree->entries) keys.push_back(entry.key);
  return keys;
}

std::vector<YamlReader> YamlReader::items() const {
  std::vector<YamlReader> items;
  for (const SharedTree& item : node_->tree->items) {
    std::string path = node_->path + "[" + std::to_string(items.size()) + "]";
    items.emplace_back().node_ =
        std::make_shared<const Node>(Node{item, std::move(path), item->line});
  }
  return items;
}

Result<std::string> YamlReader::as_text() const {
  if (!is_scalar()) return fail(error("a single value is expected"));
  return node_->tree->text;
}

Result<bool> YamlReader::as_bool() const {
  TRY(std::string text, as_text());
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(error(quote(text) + " is not allowed; expected true or false"));
}

Result<std::int64_t> YamlReader::as_int(std::int64_t min, std::int64_t max) const {
  TRY(std::string text, as_text());
  auto value = parse_int(text);
  if (value && *value >= min && *value <= max) return *value;
  return fail(error(quote(text) + " is not allowed; expected a whole number from " +
                    std::to_string(min) + " to " + std::to_string(max)));
}

Result<std::int64_t> YamlReader::as_duration_ms() const {
  static constexpr std::array<Unit, 6> kUnits{
      {{"", 1'000}, {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  constexpr double kMax = 3650.0 * 86'400'000;  // ten years: longer is a slip of the pen
  TRY(std::string text, as_text());
  if (auto value = convert(text, kUnits, kMax)) return *value;
  return fail(error(quote(text) +
                    " is not allowed; expected a duration up to 3650d, such as 500ms, 10s, 5m, 2h "
                    "or 30d (a bare number is seconds)"));
}

Result<std::int64_t> YamlReader::as_size_bytes() const {
  static constexpr std::array<Unit, 10> kUnits{{{"", 1},
                                                {"b", 1},
                                                {"kb", 1e3},
                                                {"mb", 1e6},
                                                {"gb", 1e9},
                                                {"tb", 1e12},
                                                {"kib", 1024},
                                                {"mib", 1024.0 * 1024},
                                                {"gib", 1024.0 * 1024 * 1024},
                                                {"tib", 1024.0 * 1024 * 1024 * 1024}}};
  constexpr double kMax = 1e15;  // still exact in a double
  TRY(std::string text, as_text());
  if (auto value = convert(text, kUnits, kMax)) return *value;
  return fail(error(quote(text) +
                    " is not allowed; expected a size such as 512MB, 20 GB or 64KiB (a bare number "
                    "is bytes)"));
}

Result<> YamlReader::refuse_others(std::initializer_list<std::string_view> known) const {
  if (!is_map() && !is_null()) return fail(error("fields are expected here, one a line"));
  for (const MapEntry& entry : node_->tree->entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    std::string allowed;
    for (std::string_view name : known) {
      allowed += (allowed.empty() ? "" : ", ");
      allowed += name;
    }
    Error unknown = child(entry.key)->error("is not a known field; known here: " + allowed);
    return fail(std::move(unknown));
  }
  return {};
}

Error YamlReader::error(std::string_view text) const {
  std::string detail = "line " + std::to_string(line()) + ": ";
  if (!path().empty()) detail += path() + ": ";
  return Error::in_public(ErrorCode::BadRequest, detail + std::string(text));
}

}  // namespace tintype

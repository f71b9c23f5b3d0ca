// SPDX-License-Identifier: Apache-2.0
#include "edge/inline_functions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "edge/expression_shape.h"
#include "edge/rename_script.h"

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;
using Difference = std::ptrdiff_t;

bool is_open(const ScriptToken& token) {
  return token.is("(") || token.is("[") || token.is("{");
}

Script slice(const Script& script, std::size_t begin, std::size_t end) {
  return {script.begin() + static_cast<Difference>(begin),
          script.begin() + static_cast<Difference>(end)};
}

bool is_name(const ScriptToken& token, const std::string& name) {
  return token.kind == Kind::Name && token.text == name;
}

// "(a,b)=>a+b" taken apart.
struct Arrow {
  std::vector<std::string> parameters;
  Script body;
};

// Nothing where it is no arrow function, or one with a block.
std::optional<Arrow> arrow_of(const ScriptItem& item) {
  const Script& script = item.tokens;
  if (!item.is_function || item.is_async) return std::nullopt;
  std::size_t arrow = script[0].is("(") ? mate_of(script, 0) + 1 : 1;
  bool is_value = arrow + 1 < script.size() && script[arrow].is("=>") &&
                  (!script[arrow + 1].is("{") || script[arrow + 1].is_object);
  if (!is_value) return std::nullopt;
  Arrow out;
  for (std::size_t i = 0; i < arrow; ++i) {
    if (script[i].kind == Kind::Name) out.parameters.push_back(script[i].text);
  }
  out.body = slice(script, arrow + 1, script.size());
  return out;
}

// Where the arguments between the brackets at `open` begin and end.
std::vector<Script> arguments_at(const Script& script, std::size_t open) {
  std::vector<Script> out;
  std::size_t end = mate_of(script, open), begin = open + 1;
  for (std::size_t i = begin; i < end; ++i) {
    if (is_open(script[i])) {
      i = mate_of(script, i);
    } else if (script[i].is(",")) {
      out.push_back(slice(script, begin, i));
      begin = i + 1;
    }
  }
  if (begin < end) out.push_back(slice(script, begin, end));
  return out;
}

// Behind the last token of the function whose "=>" is at `arrow`.
std::size_t end_of_arrow(const Script& script, std::size_t arrow) {
  if (script[arrow + 1].is("{") && !script[arrow + 1].is_object) {
    return mate_of(script, arrow + 1) + 1;
  }
  int choices = 0;  // of "a?b:c" that are open
  std::size_t i = arrow + 1;
  while (i < script.size()) {
    const ScriptToken& token = script[i];
    bool ends = token.is(")") || token.is("]") || token.is("}") || token.is(",") || token.is(";") ||
                (token.is(":") && choices == 0);
    if (ends) break;
    if (token.is("?")) ++choices;
    if (token.is(":")) --choices;
    i = is_open(token) ? mate_of(script, i) + 1 : i + 1;
  }
  return i;
}

// The "=>" of the innermost function around `at`; kNoToken: there is none.
std::size_t arrow_around(const Script& script, std::size_t at) {
  std::size_t innermost = kNoToken;
  for (std::size_t i = 0; i < at; ++i) {
    if (script[i].is("function")) return kNoToken;
    if (script[i].is("=>") && end_of_arrow(script, i) > at) innermost = i;
  }
  return innermost;
}

class Inlining {
 public:
  Inlining(std::vector<ScriptItem>& items, std::span<const std::string> roots)
      : items_(items), roots_(roots) {}

  void run() {
    for (std::size_t i = 0; i < items_.size();) {
      // What was moved leaves its place to the next; those before may now have one use only.
      i = try_to_move(i) ? 0 : i + 1;
    }
  }

 private:
  struct Use {
    std::size_t host = kNoToken, at = 0;
    int count = 0;
  };

  Use use_of(std::size_t item) const {
    Use use;
    for (std::size_t host = 0; host < items_.size(); ++host) {
      const Script& script = items_[host].tokens;
      for (std::size_t i = 0; i < script.size(); ++i) {
        if (!is_name(script[i], items_[item].name)) continue;
        ++use.count;
        use.host = host;
        use.at = i;
      }
    }
    return use;
  }

  bool try_to_move(std::size_t index) {
    const ScriptItem& item = items_[index];
    if (std::find(roots_.begin(), roots_.end(), item.name) != roots_.end()) return false;
    auto arrow = arrow_of(item);
    if (!arrow) return false;
    Use use = use_of(index);
    if (use.count != 1 || use.host == index) return false;
    ScriptItem& host = items_[use.host];
    bool is_call =
        use.at + 1 < host.tokens.size() && host.tokens[use.at + 1].is("(") && host.is_function;
    if (!is_call || has_loop(host.tokens) || clashes(item, host)) return false;
    auto moved = with_body(host.tokens, use.at, make_unique_names(item, *arrow), item.parameters);
    if (!moved) return false;
    // "name=…," goes as well.
    if (length_of(*moved) >= length_of(host.tokens) + length_of(item.tokens) + 4) return false;
    host.tokens = std::move(*moved);
    items_.erase(items_.begin() + static_cast<Difference>(index));
    return true;
  }

  static bool has_loop(const Script& script) {
    return std::any_of(script.begin(), script.end(), [](const ScriptToken& token) {
      return token.is("for") || token.is("while");
    });
  }

  // Whether a name would mean something else at the other place, or has two meanings in the item.
  static bool clashes(const ScriptItem& item, const ScriptItem& host) {
    auto own = declared_names(item), others = declared_names(host);
    for (const auto& [name, times] : own) {
      if (times > 1) return true;
    }
    return std::any_of(item.tokens.begin(), item.tokens.end(), [&](const ScriptToken& token) {
      return token.kind == Kind::Name && !own.contains(token.text) && others.contains(token.text);
    });
  }

  Arrow make_unique_names(const ScriptItem& item, Arrow arrow) {
    std::string mark = "$" + std::to_string(++moved_);
    auto own = declared_names(item);
    for (std::string& name : arrow.parameters) name += mark;
    for (ScriptToken& token : arrow.body) {
      if (token.kind == Kind::Name && own.contains(token.text)) token.text += mark;
    }
    return arrow;
  }

  static bool is_assignment(const ScriptToken& token) {
    if (token.kind != Kind::Sign) return false;
    const std::string& sign = token.text;
    if (sign == "++" || sign == "--") return true;
    return sign.back() == '=' && sign != "==" && sign != "===" && sign != "!=" && sign != "!==" &&
           sign != "<=" && sign != ">=";
  }

  static bool is_assigned(const Script& body, const std::string& name) {
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (!is_name(body[i], name)) continue;
      bool is_before = i + 1 < body.size() && is_assignment(body[i + 1]);
      bool is_behind = i > 0 && (body[i - 1].is("++") || body[i - 1].is("--"));
      if (is_before || is_behind) return true;
    }
    return false;
  }

  // Whether arguments change names while others are read.
  static bool change_names(const std::vector<Script>& arguments) {
    return std::any_of(arguments.begin(), arguments.end(), [](const Script& argument) {
      return std::any_of(argument.begin(), argument.end(), is_assignment);
    });
  }

  // The host with the body in place of the call at `at`.
  static std::optional<Script> with_body(const Script& host, std::size_t at, Arrow callee,
                                         std::size_t declared) {
    std::size_t around = arrow_around(host, at);
    if (around == kNoToken) return std::nullopt;
    std::vector<Script> arguments = arguments_at(host, at + 1);
    if (arguments.size() > declared || change_names(arguments)) return std::nullopt;
    std::vector<std::string> more;
    Script value;
    for (std::size_t i = 0; i < callee.parameters.size(); ++i) {
      const std::string& name = callee.parameters[i];
      bool is_given = i < arguments.size();
      bool is_plain = is_given && arguments[i].size() == 1 && arguments[i][0].kind == Kind::Name &&
                      !is_assigned(callee.body, name);
      if (is_plain) {
        for (ScriptToken& token : callee.body) {
          if (is_name(token, name)) token.text = arguments[i][0].text;
        }
        continue;
      }
      more.push_back(name);
      if (i >= declared) continue;  // a declaration: it is assigned before it is read
      value.push_back(made_token(Kind::Name, name));
      add_sign(value, "=");
      if (is_given) {
        add_part(value, arguments[i], Binding::Assignment);
      } else {
        value.push_back(made_token(Kind::Keyword, "void"));
        value.push_back(made_token(Kind::Number, "0"));
      }
      add_sign(value, ",");
    }
    value.insert(value.end(), callee.body.begin(), callee.body.end());
    std::vector<ScriptToken> parameters = parameters_before(host, around);
    for (std::string& name : more) {
      parameters.push_back(made_token(Kind::Name, std::move(name)));
    }
    if (parameters.size() > kMaxParameters) return std::nullopt;
    return put_together(host, at, value, parameters);
  }

  static std::size_t begin_of_parameters(const Script& host, std::size_t arrow) {
    std::size_t begin = arrow - 1;
    if (!host[begin].is(")")) return begin;
    while (!host[begin].is("(")) --begin;
    return begin;
  }

  static std::vector<ScriptToken> parameters_before(const Script& host, std::size_t arrow) {
    std::vector<ScriptToken> out;
    for (std::size_t i = begin_of_parameters(host, arrow); i < arrow; ++i) {
      if (host[i].kind == Kind::Name) out.push_back(host[i]);
    }
    return out;
  }

  // The host with these parameters of the function around `at`, and the value for the call there.
  static Script put_together(const Script& host, std::size_t at, const Script& value,
                             const std::vector<ScriptToken>& parameters) {
    std::size_t around = arrow_around(host, at), end = mate_of(host, at + 1) + 1;
    Script out = slice(host, 0, begin_of_parameters(host, around));
    add_sign(out, "(");
    for (const ScriptToken& name : parameters) {
      if (&name != &parameters.front()) add_sign(out, ",");
      out.push_back(name);
    }
    add_sign(out, ")");
    out.insert(out.end(), host.begin() + static_cast<Difference>(around),
               host.begin() + static_cast<Difference>(at));
    add_part(out, value, binding_needed(host, at, end));
    out.insert(out.end(), host.begin() + static_cast<Difference>(end), host.end());
    return out;
  }

  // How tightly the value must hang together between its neighbours. Alone between signs that
  // separate it may be anything but a list.
  static Binding binding_needed(const Script& host, std::size_t at, std::size_t end) {
    const ScriptToken& before = host[at - 1];
    bool is_free_before = before.is("(") || before.is(",") || before.is("[") || before.is("=>") ||
                          before.is("=") || before.is("?") || before.is(":") || before.is(";") ||
                          before.is("return") || before.is("{") || before.is("}");
    bool is_free_behind = end == host.size() || host[end].is(")") || host[end].is(",") ||
                          host[end].is("]") || host[end].is("}") || host[end].is(";") ||
                          host[end].is(":");
    // An unbracketed object at the begin of a function would be its block.
    return is_free_before && is_free_behind ? Binding::Assignment : Binding::Bracketed;
  }

  std::vector<ScriptItem>& items_;
  std::span<const std::string> roots_;
  int moved_ = 0;
};

}  // namespace

void inline_functions(std::vector<ScriptItem>& items, std::span<const std::string> roots) {
  Inlining(items, roots).run();
}

}  // namespace tintype

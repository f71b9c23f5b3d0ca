// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_hooks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "policy/quote.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxHooks = 32;   // far above real use
constexpr std::size_t kMaxSecrets = 2;  // the second while they are rotated
// 128 bits where each character carries eight, as parse_rules.cc asks of signing keys.
constexpr std::size_t kMinSecretBytes = 16;
constexpr std::size_t kMaxPointerBytes = 256;

struct RecipeRow {
  HookRule::Recipe recipe;
  std::string_view name;
  // Where the recipe finds things by itself; empty: it must be said.
  std::string_view source_pointer, event_pointer;
  bool takes_pointers = true;  // false: the sender's format is fixed
};

// Aprimo's body is a template that the operator writes (docs/operating/hooks.md has it). Bynder
// sends through SNS: the event is the notification's subject, its message names the medium.
constexpr std::array<RecipeRow, 5> kRecipes{
    {{HookRule::Recipe::Generic, "generic", "", ""},
     {HookRule::Recipe::Aprimo, "aprimo", "/source", "/event"},
     {HookRule::Recipe::Bynder, "bynder", "/media_id", ""},
     {HookRule::Recipe::Cloudinary, "cloudinary", "", "", false},
     {HookRule::Recipe::S3, "s3", "", "", false}}};

const RecipeRow& row_of(HookRule::Recipe recipe) {
  return kRecipes[static_cast<std::size_t>(recipe)];
}

Result<> read_recipe(const YamlReader& hook, HookRule& rule) {
  auto at = hook.child("recipe");
  if (!at) return {};
  TRY(std::string name, at->as_text());
  for (const RecipeRow& row : kRecipes) {
    if (row.name != name) continue;
    rule.recipe = row.recipe;
    return {};
  }
  return fail(at->error(quote(name) +
                        " is not a recipe; expected generic, aprimo, bynder, cloudinary or s3"));
}

Result<> read_secrets(const YamlReader& hook, HookRule& rule) {
  auto at = hook.child("secrets");
  if (!at) return fail(hook.error("secrets is missing: anybody could have pictures made anew"));
  auto items = at->items();
  if (!at->is_list() || items.empty() || items.size() > kMaxSecrets) {
    return fail(at->error("a list of one secret is expected, two while they are rotated"));
  }
  for (const YamlReader& item : items) {
    TRY(std::string secret, item.as_text());
    if (secret.size() < kMinSecretBytes) {
      return fail(item.error("a secret of at least " + std::to_string(kMinSecretBytes) +
                             " characters is expected, such as openssl rand -hex 32 makes"));
    }
    rule.secrets.push_back(std::move(secret));
  }
  return {};
}

// RFC 6901: "~" stands only before 0 and 1.
bool is_pointer(std::string_view text) {
  if (text.empty() || text.size() > kMaxPointerBytes || text.front() != '/') return false;
  for (std::size_t i = text.find('~'); i != text.npos; i = text.find('~', i + 1)) {
    if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')) return false;
  }
  return true;
}

Result<> read_pointer(const YamlReader& hook, std::string_view key, std::string& pointer) {
  auto at = hook.child(key);
  if (!at) return {};
  TRY(pointer, at->as_text());
  if (is_pointer(pointer)) return {};
  return fail(
      at->error(quote(pointer) + " is not a JSON pointer; expected one such as /asset/path"));
}

Result<> read_pointers(const YamlReader& hook, HookRule& rule) {
  const RecipeRow& row = row_of(rule.recipe);
  for (std::string_view key : {"source", "event"}) {
    auto at = hook.child(key);
    if (!at || row.takes_pointers) continue;
    return fail(at->error("recipe " + std::string(row.name) + " knows by itself where it stands"));
  }
  rule.source_pointer = row.source_pointer;
  rule.event_pointer = row.event_pointer;
  TRY(read_pointer(hook, "source", rule.source_pointer));
  TRY(read_pointer(hook, "event", rule.event_pointer));
  if (row.takes_pointers && rule.source_pointer.empty()) {
    return fail(
        hook.error("source is missing: where in the body the picture's path stands, as a "
                   "JSON pointer such as /asset/path"));
  }
  return {};
}

Result<> read_warm(const YamlReader& hook, const SitePolicy& site, HookRule& rule) {
  auto at = hook.child("warm");
  if (!at) return {};
  if (!at->is_list()) return fail(at->error("a list of presets is expected, such as [card]"));
  for (const YamlReader& item : at->items()) {
    TRY(std::string preset, item.as_text());
    if (!site.presets.contains(preset)) {
      return fail(item.error("site '" + site.name + "' has no preset " + quote(preset)));
    }
    if (std::ranges::find(rule.warm_presets, preset) != rule.warm_presets.end()) {
      return fail(item.error(quote(preset) + " stands here twice"));
    }
    rule.warm_presets.push_back(std::move(preset));
  }
  return {};
}

Result<HookRule> read_hook(const YamlReader& hook, const SitePolicy& site) {
  if (!hook.is_map()) return fail(hook.error("expected { recipe: …, secrets: [<secret>] }"));
  TRY(hook.refuse_others({"recipe", "secrets", "source", "event", "strip_prefix", "warm"}));
  HookRule rule;
  TRY(read_recipe(hook, rule));
  TRY(read_secrets(hook, rule));
  TRY(read_pointers(hook, rule));
  if (auto prefix = hook.child("strip_prefix")) {
    TRY(rule.strip_prefix, prefix->as_text());
  }
  TRY(read_warm(hook, site, rule));
  return rule;
}

}  // namespace

std::string_view name_of(HookRule::Recipe recipe) {
  return row_of(recipe).name;
}

Result<> read_hooks(const YamlReader& at, SitePolicy& site) {
  auto hooks = at.child("hooks");
  if (!hooks) return {};
  if (!hooks->is_map()) return fail(hooks->error("hook names and their rules are expected here"));
  auto names = hooks->keys();
  if (names.size() > kMaxHooks) {
    return fail(hooks->error("at most " + std::to_string(kMaxHooks) + " hooks are allowed"));
  }
  for (const std::string& name : names) {
    YamlReader hook = *hooks->child(name);
    // The name is a segment of the hook's path.
    if (!parse_token(OptionId::Preset, name) || name == "." || name == "..") {
      return fail(
          hook.error(quote(name) + " is not a hook's name; expected 1 to 64 of A-Z a-z 0-9 - . ~"));
    }
    TRY(HookRule rule, read_hook(hook, site));
    rule.name = name;
    site.hooks.push_back(std::move(rule));
  }
  return {};
}

}  // namespace tintype

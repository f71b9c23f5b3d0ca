// SPDX-License-Identifier: Apache-2.0
#include "delivery/explain.h"

#include "base/json.h"
#include "delivery/failure.h"
#include "delivery/naming.h"
#include "dialect/dialect.h"
#include "image/sniff.h"
#include "plan/plan.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

// The same steps as JSON and as text, built side by side.
class Pages {
 public:
  void step(std::string_view name, std::string_view title, const std::string& value) {
    json_.field(name, value);
    line(title, value);
  }
  void step_raw(std::string_view name, std::string_view title,
                std::pair<std::string, std::string> json_and_text) {
    json_.raw(name, json_and_text.first);
    line(title, json_and_text.second);
  }
  Explanation finish(bool ok) { return {ok, json_.str(), text_}; }

 private:
  void line(std::string_view title, const std::string& value) {
    constexpr std::size_t kColumn = 16;
    text_ += title;
    text_.append(title.size() < kColumn ? kColumn - title.size() : 1, ' ');
    // Values of several lines keep the column.
    for (char c : value) {
      text_ += c;
      if (c == '\n') text_.append(kColumn, ' ');
    }
    text_ += '\n';
  }
  JsonObject json_;
  std::string text_;
};

std::pair<std::string, std::string> options_of(const Transformation& t) {
  JsonObject json;
  std::string text;
  for (const OptionSpec& spec : option_table()) {
    if (spec.id == OptionId::Preset || spec.id == OptionId::Version) continue;
    std::optional<std::string> value = print_option(t, spec.id);
    if (!value && spec.id == OptionId::Format && !t.format_auto) value = name_of(t.format);
    if (!value) continue;
    json.field(spec.name, *value);
    text += (text.empty() ? "" : " ") + std::string(spec.name) + "=" + *value;
  }
  return {json.str(), text.empty() ? "(none)" : text};
}

std::pair<std::string, std::string> ask_page(const Ask& ask) {
  auto [options_json, options_text] = options_of(ask.transformation);
  JsonArray unknown;
  std::string unknown_text;
  for (const std::string& name : ask.unknown) {
    unknown.add(name);
    unknown_text += " " + name;
  }
  JsonObject json;
  json.field("site", ask.site).field("source", ask.source).raw("options", options_json);
  json.field("preset", ask.preset).field("version", ask.version).raw("unknown", unknown.str());
  json.field("canonical", ask.is_canonical);
  std::string text = "site " + ask.site + ", source " + ask.source + "\noptions " + options_text;
  if (!ask.preset.empty()) text += "\npreset " + ask.preset;
  if (!ask.version.empty()) text += "\nversion " + ask.version;
  if (!unknown_text.empty()) text += "\nunknown parameters:" + unknown_text;
  if (ask.is_canonical) text += "\na canonical path, served as it stands";
  return {json.str(), text};
}

std::string size_text(Size size) {
  return std::to_string(size.width_px) + " x " + std::to_string(size.height_px);
}

std::pair<std::string, std::string> source_page(const ImageInfo& info, std::size_t size_bytes) {
  JsonObject json;
  json.field("format", name_of(info.format)).field("bytes", size_bytes);
  json.field("width", info.upright().width_px).field("height", info.upright().height_px);
  json.field("orientation", static_cast<int>(info.orientation)).field("bits", info.bits);
  json.field("alpha", info.has_alpha).field("progressive", info.is_progressive);
  json.field("icc", info.has_icc).field("frames", info.frames);
  std::string text = std::string(name_of(info.format)) + ", " + size_text(info.upright()) + ", " +
                     human_bytes(size_bytes);
  if (info.has_alpha) text += ", alpha";
  if (info.is_progressive) text += ", progressive";
  if (info.has_icc) text += ", colour profile";
  if (info.orientation != Orientation::Upright) {
    text += ", orientation " + std::to_string(static_cast<int>(info.orientation));
  }
  return {json.str(), text};
}

std::string rect_json(const Rect& rect) {
  JsonObject json;
  json.field("x", rect.x_px).field("y", rect.y_px);
  json.field("width", rect.width_px).field("height", rect.height_px);
  return json.str();
}

std::pair<std::string, std::string> plan_page(const Plan& plan) {
  JsonObject json;
  json.field("shrink", plan.shrink).raw("crop", rect_json(plan.crop));
  json.raw("resized", rect_json({0, 0, plan.resized.width_px, plan.resized.height_px}));
  json.raw("result_crop", rect_json(plan.result_crop)).field("smart", plan.crop_smart);
  json.field("width", plan.variant_size().width_px).field("height", plan.variant_size().height_px);
  json.field("exact", plan.is_size_exact).field("format", name_of(plan.encode.format));
  json.field("quality", plan.encode.quality_pct).field("cost_weight", plan.cost.weight);
  json.field("peak_bytes", plan.cost.peak_bytes).field("steps", describe(plan));
  return {json.str(), describe(plan)};
}

std::pair<std::string, std::string> error_page(const Error& error) {
  const FailureRule& rule = rule_of(error.code);
  JsonObject json;
  json.field("status", rule.status).field("code", name_of(error.code));
  json.field("title", rule.sentence).field("detail", error.detail).field("option", error.option);
  return {json.str(), std::to_string(rule.status) + " " + std::string(rule.sentence) + "\n" +
                          (error.message.empty() ? std::string() : error.message)};
}

Explanation stop(Pages& pages, const Error& error) {
  pages.step_raw("error", "error", error_page(error));
  return pages.finish(false);
}

Task<Result<Plan>> plan_of_source(const NamedVariant& named, ExplainParts parts, Pages& pages) {
  CO_TRY(auto origin, parts.origins.of(*named.site));
  Deadline deadline = Deadline::after(parts.clock, named.site->origin.timeout_ms);
  CO_TRY(Source source, co_await origin->fetch(named.ask.source, deadline));
  CO_TRY(ImageInfo info, sniff(*source.bytes));
  pages.step_raw("source", "source", source_page(info, source.bytes->size()));
  co_return plan(named.settled, info, limits_of(*named.site));
}

}  // namespace

Task<Explanation> explain(std::string target, HintTexts headers, ExplainParts parts) {
  Pages pages;
  Viewing viewing;
  std::string cut = target_of_url(target);
  viewing.target = cut;
  viewing.hints = headers.hints();
  SharedPolicy policy = parts.policies.current();
  std::string accept(viewing.hints.accept);
  pages.step("request", "request", cut);
  pages.step("accept", "accept", accept.empty() ? "(absent)" : accept);
  const Mount* mount = find_mount(policy->mounts, std::string_view(cut).substr(0, cut.find('?')));
  pages.step("dialect", "dialect", std::string(name_of(mount ? mount->dialect : Dialect::Native)));
  auto asked = parse_target(cut, policy->mounts);
  if (!asked) co_return stop(pages, asked.error());
  pages.step_raw("ask", "ask", ask_page(*asked));
  auto named = name_variant(viewing, policy, parts.clock.unix_seconds());
  if (!named) co_return stop(pages, named.error());
  pages.step_raw("admitted", "policy", options_of(named->ask.transformation));
  pages.step_raw("settled", "settled", options_of(named->settled));
  pages.step("canonical_path", "canonical path", named->path);
  pages.step("cache_key", "cache key", cache_key(named->path));
  if (!parts.with_source) co_return pages.finish(true);
  auto planned = co_await plan_of_source(*named, parts, pages);
  if (!planned) co_return stop(pages, planned.error());
  pages.step_raw("plan", "plan", plan_page(*planned));
  co_return pages.finish(true);
}

}  // namespace tintype

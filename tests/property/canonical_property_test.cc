// SPDX-License-Identifier: Apache-2.0
// One name for every picture: whatever order, alias, case or escape a request is written in, it has
// one canonical path, and that path is its own canonical path.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/write.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"
#include "transform/settle.h"

namespace tintype {
namespace {

constexpr Format kOrder[] = {Format::Avif, Format::Webp};
constexpr std::string_view kAccepts[] = {"", "*/*", "image/webp", "image/avif,image/webp;q=0.9"};

using rc::gen::element;
using rc::gen::inRange;

std::string number(int min, int max) {
  return std::to_string(*inRange(min, max + 1));
}

// `whole` and up to four decimals.
std::string decimal(int whole_min, int whole_max) {
  std::string text = number(whole_min, whole_max);
  int digits = *inRange(0, 5);
  if (digits == 0) return text;
  text += '.';
  for (int i = 0; i < digits; ++i) text += number(0, 9);
  return text;
}

std::string random_color() {
  static const std::string kHex = "0123456789abcdefABCDEF";
  std::size_t size = *element<std::size_t>(3, 4, 6, 8);
  std::string text = *element<std::string>("", "#");
  for (std::size_t i = 0; i < size; ++i) text += kHex[*inRange<std::size_t>(0, kHex.size())];
  return *element(text, std::string("white"), std::string("Transparent"), text);
}

std::string random_crop() {
  bool is_percent = *rc::gen::arbitrary<bool>();
  std::string separator = *element<std::string>(",", "-");
  std::string text;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) text += separator;
    text += is_percent ? decimal(i < 2 ? 0 : 1, 99) + *element<std::string>("p", "%", "P")
                       : number(i < 2 ? 0 : 1, 65535);
  }
  return text;
}

std::string random_gravity() {
  std::string separator = *element<std::string>("fp-", "fp:", ",");
  std::string point = separator == "," ? "" : separator;
  point +=
      "0." + number(0, 99999) + separator.back() + *element<std::string>("0", "0.5", "1", ".25");
  std::string word = *element<std::string>("c", "top", "se", "Bottom-Left", "smart", "center");
  return *element(point, word);
}

// A value of the query's grammar. Most settle well; a few combinations grow above the largest side.
std::string random_value(OptionId id) {
  switch (id) {
    case OptionId::AspectRatio:
      return *element(number(1, 40) + ":" + number(1, 40), number(1, 40) + "-" + number(1, 40),
                      decimal(1, 3), "0." + number(1, 9999));
    case OptionId::Background:
      return random_color();
    case OptionId::Blur:
      return decimal(1, 99);
    case OptionId::Crop:
      return random_crop();
    case OptionId::Dpr:
      return decimal(1, 7);
    case OptionId::Format:
      return *element<std::string>("auto", "avif", "webp", "jpg", "jpeg", "png");
    case OptionId::Fit:
      return *element<std::string>("inside", "pad", "cover", "stretch", "outside", "cut");
    case OptionId::Flip:
      return *element<std::string>("h", "v", "hv");
    case OptionId::Gravity:
      return random_gravity();
    case OptionId::Height:
    case OptionId::Width:
      return number(1, 2000);
    case OptionId::Metadata:
      return *element<std::string>("none", "copyright");
    case OptionId::Quality:
      return *element(number(1, 100), std::string("80"), std::string("60"));
    case OptionId::Rotate:
      return *element<std::string>("0", "90", "180", "270", "-90", "360");
    case OptionId::Sharpen:
      return decimal(1, 9);
    case OptionId::Small:
      return *element<std::string>("ratio", "cut", "keep", "pad");
    case OptionId::Trim:
      return *element(number(1, 100), std::string());
    case OptionId::Upscale:
      return *element<std::string>("", "0", "1", "true", "false");
    case OptionId::Preset:
    case OptionId::Version:
      return *element<std::string>("1", "a-b.c~D", "2024-11-24");
  }
  return "";
}

struct Parameter {
  OptionId id;
  std::string value;
};

// Presets are left to the policy's tests.
std::vector<Parameter> random_parameters() {
  std::vector<Parameter> parameters;
  for (const OptionSpec& spec : option_table()) {
    if (spec.id == OptionId::Preset || *inRange(0, 3) != 0) continue;
    parameters.push_back({spec.id, random_value(spec.id)});
  }
  return parameters;
}

// Random case for ASCII letters.
std::string recase(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z' && *rc::gen::arbitrary<bool>()) c = static_cast<char>(c - 32);
  }
  return text;
}

// Escapes what must be escaped, and anything else now and then, in either hex case.
std::string escape(std::string_view text, std::string_view must) {
  std::string out;
  for (char c : text) {
    bool is_forced = c == '%' || must.find(c) != std::string_view::npos;
    if (!is_forced && *inRange(0, 4) != 0) {
      out += c;
      continue;
    }
    std::string escaped = "%" + hex(view_of({&c, 1}));
    out += *rc::gen::arbitrary<bool>() ? lower(escaped) : recase(escaped);
  }
  return out;
}

std::string plain_query(const std::vector<Parameter>& parameters) {
  std::string query;
  for (const Parameter& p : parameters) {
    query += query.empty() ? "?" : "&";
    query += option_table()[static_cast<std::size_t>(p.id)].name;
    query += "=" + percent_encode(p.value);
  }
  return query;
}

std::string disguised_name(OptionId id) {
  const OptionSpec& spec = option_table()[static_cast<std::size_t>(id)];
  std::size_t choice = *inRange<std::size_t>(0, spec.aliases.size() + 1);
  return recase(std::string(choice == 0 ? spec.name : spec.aliases[choice - 1]));
}

// The same parameters in another order, under other names, cases and escapes, some twice, with
// junk.
std::string disguised_query(std::vector<Parameter> parameters) {
  for (std::size_t i = parameters.size(); i > 1; --i) {
    std::swap(parameters[i - 1], parameters[*inRange<std::size_t>(0, i)]);
  }
  if (!parameters.empty() && *rc::gen::arbitrary<bool>()) parameters.push_back(parameters.front());
  std::string query = "?";
  for (const Parameter& p : parameters) {
    if (*inRange(0, 4) == 0) query += "utm_source=50%off&&";
    bool is_word = p.id != OptionId::Version;
    std::string value = is_word ? recase(p.value) : p.value;
    query += escape(disguised_name(p.id), "") + "=" + escape(value, "&+#") + "&";
  }
  return query;
}

std::string random_source() {
  std::string source;
  int segments = *inRange(1, 4);
  for (int i = 0; i < segments; ++i) {
    if (i > 0) source += '/';
    source += *element<std::string>("a.jpg", "_", "b c+d", "\xC3\xBC", "%41", "__", "a_",
                                    "x?y#z.png", "4711", "(1)~", "%2e%2e", "...");
  }
  return source;
}

struct Named {
  Ask ask;
  Transformation settled;
  std::string path;
};

Result<Named> name(const std::string& target, std::string_view accept) {
  TRY(auto ask, parse_target(target));
  TRY(auto settled, settle(ask, {.accept = accept}, kOrder));
  std::string path = canonical_path(ask, settled);
  return Named{std::move(ask), settled, std::move(path)};
}

RC_GTEST_PROP(Canonical, AnySpellingOfARequestGivesOnePath, ()) {
  auto parameters = random_parameters();
  std::string source = random_source(),
              accept(*element(kAccepts[0], kAccepts[1], kAccepts[2], kAccepts[3]));
  auto first = name(source_path("shop", source) + plain_query(parameters), accept);
  auto second = name("/shop/" + escape(source, "?_#") + disguised_query(parameters), accept);
  RC_ASSERT(first.has_value() == second.has_value());
  if (!first) {
    // The detail shows the value as it was written.
    RC_ASSERT(first.error().code == second.error().code);
    RC_ASSERT(first.error().option == second.error().option);
    return;
  }
  RC_ASSERT(first->path == second->path);
  RC_ASSERT(first->ask.source == source);
}

RC_GTEST_PROP(Canonical, ACanonicalPathIsItsOwn, ()) {
  auto named = name(source_path("shop", random_source()) + plain_query(random_parameters()),
                    *element(kAccepts[0], kAccepts[2], kAccepts[3]));
  RC_PRE(named.has_value());
  auto again = name(named->path, "image/avif");
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->ask.is_canonical);
  RC_ASSERT(again->path == named->path);
  RC_ASSERT(again->settled == named->settled);
  RC_ASSERT(again->ask.source == named->ask.source);
  RC_ASSERT(again->ask.version == named->ask.version);
}

RC_GTEST_PROP(Canonical, PrintedOptionsParseToTheSameTransformation, ()) {
  auto named = name("/s/a.jpg" + plain_query(random_parameters()), "image/webp");
  RC_PRE(named.has_value());
  std::string options = canonical_options(named->settled, named->ask.version);
  auto parsed = parse_canonical_options(options);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(parsed->transformation == named->settled);
  RC_ASSERT(parsed->version == named->ask.version);
  RC_ASSERT(percent_encode(options) == options);
}

RC_GTEST_PROP(Canonical, SettlingTwiceIsSettlingOnce, ()) {
  auto named = name("/s/a.jpg" + plain_query(random_parameters()), "image/webp");
  RC_PRE(named.has_value());
  Ask ask = named->ask;
  ask.transformation = named->settled;
  auto again = settle(ask, {.accept = "image/avif"}, kOrder);
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == named->settled);
}

RC_GTEST_PROP(Canonical, DifferentSettledTransformationsHaveDifferentPaths, ()) {
  auto a = name("/s/a.jpg" + plain_query(random_parameters()), "image/webp");
  auto b = name("/s/a.jpg" + plain_query(random_parameters()), "image/webp");
  RC_PRE(a.has_value() && b.has_value());
  bool is_same = a->settled == b->settled && a->ask.version == b->ask.version;
  RC_ASSERT(is_same == (a->path == b->path));
}

RC_GTEST_PROP(Canonical, SettledSidesAreWithinTheLimit, ()) {
  std::string query = "?w=" + number(1, kMaxSide) + "&dpr=" + decimal(1, 7);
  if (*rc::gen::arbitrary<bool>()) query += "&ar=" + number(1, 100) + ":" + number(1, 100);
  auto named = name("/s/a.jpg" + query, "");
  if (!named) {
    RC_ASSERT(named.error().code == ErrorCode::BadRequest);
    RC_ASSERT(named.error().option == "dpr" || named.error().option == "ar");
    return;
  }
  for (auto side_px : {named->settled.width_px, named->settled.height_px}) {
    RC_ASSERT(!side_px || (*side_px >= 1 && *side_px <= kMaxSide));
  }
}

// Whatever is asked: what a language can say comes back as it was, what it cannot is named.
RC_GTEST_PROP(Canonical, WrittenInAnyLanguageItComesBackOrIsRefused, ()) {
  auto ask = parse_target(source_path("shop", random_source()) + plain_query(random_parameters()));
  RC_PRE(ask.has_value() && settle(*ask, {}, kOrder).has_value());
  const std::string languages = written_dialects();
  for (std::string_view language : split(languages, ' ')) {
    if (language.ends_with(',')) language.remove_suffix(1);
    Mount mount{.path = "/x", .site = "shop", .keys = {}, .sources = {"https://cdn.example/"}};
    mount.dialect = dialect_named(language).value();
    auto target = write_target(*ask, mount);
    if (!target) {
      RC_ASSERT(target.error().code == ErrorCode::UnsupportedOption);
      RC_ASSERT(!target.error().option.empty());
      continue;
    }
    auto written = parse_target(*target, std::span(&mount, 1));
    RC_ASSERT(written.has_value());
    for (std::string_view accept : kAccepts) {
      auto theirs = settle(*ask, {.accept = accept}, kOrder);
      auto ours = settle(*written, {.accept = accept}, kOrder);
      RC_ASSERT(theirs.has_value() && ours.has_value());
      RC_ASSERT(canonical_path(*ask, *theirs) == canonical_path(*written, *ours));
    }
  }
}

// Any bytes, and bytes that look like a request.
RC_GTEST_PROP(Canonical, AnyBytesAreUnderstoodOrRefusedInWords, (const std::string& bytes)) {
  for (const std::string& target :
       {bytes, "/" + bytes, "/shop/" + bytes, "/shop/a.jpg?" + bytes, "/shop/a.jpg?w=" + bytes,
        "/shop/a.jpg?crop=" + bytes, "/shop/a.jpg?" + bytes + "=1", "/shop/a.jpg/_/" + bytes,
        "/shop/a.jpg/_/" + bytes + ".webp", "/shop/" + bytes + "/_/full.jpeg"}) {
    auto named = name(target, bytes);
    if (!named) {
      RC_ASSERT(!named.error().detail.empty());
      RC_ASSERT(is_utf8(named.error().detail));
      continue;
    }
    auto again = name(named->path, "");
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->path == named->path);
  }
}

}  // namespace
}  // namespace tintype

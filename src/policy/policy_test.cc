// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transform/option_table.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

// A policy of one site, whose body is given in flow style.
std::string site_text(const std::string& body) {
  return "sites:\n  shop:\n    origin: { folder: ./samples }\n" + body;
}

SitePolicy site_of(const std::string& body) {
  auto policy = parse_policy(site_text(body), "/etc/tintype");
  EXPECT_TRUE(policy) << policy.error().detail;
  return policy ? policy->sites.at("shop") : SitePolicy{};
}

std::string fault_of(const std::string& text) {
  auto policy = parse_policy(text, "/etc/tintype");
  EXPECT_FALSE(policy) << text;
  if (policy) return {};
  EXPECT_EQ(policy.error().code, ErrorCode::BadRequest);
  EXPECT_THAT(policy.error().detail, StartsWith("line "));
  return policy.error().detail;
}

TEST(ParsePolicy, ReadsEverything) {
  auto policy = parse_policy(R"(
server: { port: 8080 }
sites:
  shop:
    origin:
      url: "https://dam.example/assets"
      headers: { Authorization: "Bearer x" }
      allow_private_addresses: true
      timeout: 5s
      max_source: 20MB
    limits:
      max_width: 4000
      max_height: 3000
      max_variant_pixels: 1000000
      max_source_pixels: 2000000
      max_progressive_pixels: 500000
    formats: [webp, jpeg]
    unknown_parameters: refuse
    defaults: { q: 75 }
    presets: { card: "w=400&h=400&fit=cover", hero: { w: 1600, fit: inside } }
    cache: { browser: 1h, variants: 7d }
  plain:
    origin: { folder: /srv/pictures }
)",
                             "/etc/tintype");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_NE(policy->revision, 0u);
  EXPECT_EQ(policy->find("absent"), nullptr);
  const SitePolicy& shop = *policy->find("shop");
  EXPECT_EQ(shop.name, "shop");
  EXPECT_EQ(shop.origin.kind, OriginRule::Kind::Http);
  EXPECT_EQ(shop.origin.base_url, "https://dam.example/assets/");
  EXPECT_THAT(shop.origin.headers, ElementsAre(Pair("Authorization", "Bearer x")));
  EXPECT_TRUE(shop.origin.allow_private_addresses);
  EXPECT_EQ(shop.origin.timeout_ms, Milliseconds(5'000));
  EXPECT_EQ(shop.origin.max_source_bytes, 20'000'000);
  EXPECT_EQ(shop.limits, (SiteLimits{4000, 3000, 1'000'000, 2'000'000, 500'000}));
  EXPECT_THAT(shop.format_order, ElementsAre(Format::Webp, Format::Jpeg));
  EXPECT_EQ(shop.unknown_parameters, UnknownParameters::Refuse);
  EXPECT_EQ(shop.defaults.transformation.quality_pct, 75);
  EXPECT_EQ(shop.defaults.named, bit_of(OptionId::Quality));
  const auto& card = shop.presets.at("card");
  EXPECT_EQ(card.transformation.width_px, 400);
  EXPECT_EQ(card.transformation.fit, Fit::Cover);
  EXPECT_EQ(card.named, bit_of(OptionId::Width) | bit_of(OptionId::Height) | bit_of(OptionId::Fit));
  EXPECT_EQ(shop.presets.at("hero").transformation.width_px, 1600);
  EXPECT_EQ(shop.browser_ttl, Seconds(3600));
  EXPECT_EQ(shop.variant_ttl, Seconds(7 * 86'400));
}

TEST(ParsePolicy, WhatIsNotSaidKeepsItsDefault) {
  SitePolicy site = site_of("");
  SitePolicy expected;
  expected.name = "shop";
  expected.origin.folder = "/etc/tintype/samples";
  EXPECT_EQ(site, expected);
}

TEST(ParsePolicy, FoldersAreResolvedAgainstTheBase) {
  auto folder = [](const std::string& path) {
    return parse_policy("sites: { a: { origin: { folder: " + path + " } } }", "/etc/tintype")
        ->sites.at("a")
        .origin.folder;
  };
  EXPECT_EQ(folder("./samples"), "/etc/tintype/samples");
  EXPECT_EQ(folder("../pictures/"), "/etc/pictures/");
  EXPECT_EQ(folder("/srv/p"), "/srv/p");
}

TEST(ParsePolicy, RevisionNamesTheText) {
  auto a = parse_policy(site_text(""), "/"), b = parse_policy(site_text(""), "/");
  auto c = parse_policy(site_text("    formats: [webp]\n"), "/");
  EXPECT_EQ(a->revision, b->revision);
  EXPECT_NE(a->revision, c->revision);
}

TEST(ParsePolicy, NeedsASite) {
  EXPECT_THAT(fault_of(""), HasSubstr("sites"));
  EXPECT_THAT(fault_of("server: {}"), HasSubstr("sites is missing"));
  EXPECT_THAT(fault_of("sites:"), HasSubstr("at least one site"));
  EXPECT_THAT(fault_of("sites: {}"), HasSubstr("at least one site"));
  EXPECT_THAT(fault_of("sites: [a]"), HasSubstr("at least one site"));
  EXPECT_THAT(fault_of("sites:\n  a:\n"), HasSubstr("origin is missing"));
}

struct Bad {
  const char* body;  // of a site, from line 4 on
  const char* says;  // beginning with the line
};
class BadSite : public testing::TestWithParam<Bad> {};

TEST_P(BadSite, IsRefusedWithLineFieldAndValue) {
  EXPECT_THAT(fault_of(site_text(GetParam().body)), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadSite,
    testing::Values(
        Bad{"    limts: {}\n",
            "line 4: sites.shop.limts: is not a known field; known here: origin,"},
        Bad{"    limits: { max_widht: 1 }\n", "line 4: sites.shop.limits.max_widht"},
        Bad{"    limits:\n      max_width: 0\n",
            "line 5: sites.shop.limits.max_width: '0' is not allowed; expected a whole number from "
            "1 "
            "to 16383"},
        Bad{"    limits: { max_height: 16384 }\n", "'16384' is not allowed"},
        Bad{"    limits: { max_source_pixels: lots }\n", "max_source_pixels: 'lots'"},
        Bad{"    limits: 5\n", "sites.shop.limits: fields are expected"},
        Bad{"    formats: avif\n", "a list is expected"},
        Bad{"    formats:\n      - avif\n      - gif\n", "line 6: sites.shop.formats[1]: 'gif'"},
        Bad{"    formats: [webp, webp]\n", "'webp' stands here twice"},
        Bad{"    unknown_parameters: ignore\n", "'ignore' is not allowed; expected drop or refuse"},
        Bad{"    cache: { browser: soon }\n", "sites.shop.cache.browser: 'soon'"},
        Bad{"    cache: { browser: 1500ms }\n", "whole seconds"},
        Bad{"    cache: { edge: 1d }\n", "sites.shop.cache.edge: is not a known field"}));

INSTANTIATE_TEST_SUITE_P(
    Options, BadSite,
    testing::Values(
        Bad{"    defaults: { q: 200 }\n", "line 4: sites.shop.defaults.q: "},
        Bad{"    defaults: { nosuch: 1 }\n", "'nosuch' is not an option"},
        Bad{"    defaults: [q]\n", "options are expected"},
        Bad{"    defaults: { preset: card }\n", "option 'preset' is not allowed here"},
        Bad{"    defaults: { v: 1 }\n", "not allowed here"},
        Bad{"    defaults: { w: 400, width: 500 }\n", "option w stands here twice"},
        Bad{"    presets:\n      card: \"w=400&w=500\"\n", "line 5: sites.shop.presets.card"},
        Bad{"    presets: { card: \"preset=other\" }\n", "option 'preset' is not allowed here"},
        Bad{"    presets: { card: \"w=\" }\n", "sites.shop.presets.card: "},
        Bad{"    presets: { card: \"w\" }\n", "expected name=value"},
        Bad{"    presets: { card: \"w=400&\" }\n", "expected name=value"},
        Bad{"    presets: { card: \"bg=%zz\" }\n", "malformed % escape"},
        Bad{"    presets: { card: \"w=9000\" }\n", "above the limit of 8192"},
        Bad{"    presets: { card: \"w=5000&dpr=2\" }\n", "above the limit of 8192"},
        Bad{"    presets: { a_b: \"w=400\" }\n", "'a_b' is not a preset name"},
        Bad{"    presets: { '': \"w=400\" }\n", "'' is not a preset name"},
        Bad{"    presets: [card]\n", "preset names and their options"}));

TEST(ParsePolicy, RefusesBadSiteNames) {
  for (const char* name : {"a_b", "a/b", "'a b'", ".", "..", "''", "ü"}) {
    EXPECT_THAT(fault_of("sites: { " + std::string(name) + ": { origin: { folder: . } } }"),
                HasSubstr("is not a site name"))
        << name;
  }
  EXPECT_THAT(fault_of("sites: { " + std::string(65, 'a') + ": { origin: { folder: . } } }"),
              HasSubstr("is not a site name"));
  EXPECT_THAT(fault_of("sites:\n  a: { origin: { folder: . } }\n  a: { origin: { folder: . } }\n"),
              StartsWith("line 3: 'a' stands here twice"));
}

std::string fault_of_origin(const std::string& origin) {
  return fault_of("sites: { a: { origin: { " + origin + " } } }");
}

TEST(ParsePolicy, RefusesBadOrigins) {
  EXPECT_THAT(fault_of_origin(""), HasSubstr("exactly one of folder, url and s3"));
  EXPECT_THAT(fault_of_origin("folder: a, url: 'https://a/'"), HasSubstr("exactly one"));
  EXPECT_THAT(fault_of_origin("folder: ''"), HasSubstr("path of a folder"));
  EXPECT_THAT(fault_of_origin("folder: a, timeout: 5s"),
              HasSubstr("timeout: is not a known field"));
  EXPECT_THAT(fault_of_origin("url: 'https://a/', timeout: 0"), HasSubstr("longer than zero"));
  EXPECT_THAT(fault_of_origin("url: 'https://a/', max_source: 0"), HasSubstr("max_source"));
  EXPECT_THAT(fault_of_origin("folder: a, max_source: 3GB"), HasSubstr("max_source"));
  for (const char* url : {"ftp://a/", "dam.example", "https://", "https:///a", "https://a b/",
                          "https://a/?x=1", "https://a/#f", "https://a\\b/", "file:///etc",
                          "https://:80/", "https://dam\xc3\xa4.example/"}) {
    EXPECT_THAT(fault_of_origin("url: '" + std::string(url) + "'"), HasSubstr("is not allowed"));
  }
  std::string with_password = fault_of_origin("url: 'https://user:hush@a/'");
  EXPECT_THAT(with_password, HasSubstr("user name"));
  EXPECT_THAT(with_password, testing::Not(HasSubstr("hush")));
}

TEST(ParsePolicy, RefusesBadOriginHeaders) {
  auto fault = [](const std::string& headers) {
    return fault_of_origin("url: 'https://a/', headers: { " + headers + " }");
  };
  EXPECT_THAT(fault("'X Y': a"), HasSubstr("is not a header name"));
  EXPECT_THAT(fault("X-A: \"b\\r\\nX-B: c\""), HasSubstr("line break"));
  EXPECT_THAT(fault("Range: bytes=0-1"), HasSubstr("set by the fetch itself"));
  EXPECT_THAT(fault("accept-encoding: gzip"), HasSubstr("set by the fetch itself"));
  EXPECT_THAT(fault_of_origin("url: 'https://a/', headers: [a]"), HasSubstr("header names"));
}

// ---- admit

Ask ask_with(std::initializer_list<std::pair<OptionId, const char*>> options) {
  Ask ask;
  ask.site = "shop";
  ask.source = "p/front.jpg";
  for (const auto& [id, value] : options) {
    EXPECT_TRUE(set_option(ask.transformation, id, value)) << value;
    ask.named |= bit_of(id);
  }
  return ask;
}

TEST(Admit, RequestBeatsPresetBeatsSiteDefault) {
  SitePolicy site = site_of(
      "    defaults: { w: 100, q: 50, bg: ff0000, up: true }\n"
      "    presets: { card: \"w=400&q=60&fit=cover\" }\n");
  Ask ask = ask_with({{OptionId::Width, "800"}});
  ask.preset = "card";
  auto admitted = admit(ask, site);
  ASSERT_TRUE(admitted) << admitted.error().detail;
  EXPECT_EQ(admitted->transformation.width_px, 800);                        // request
  EXPECT_EQ(admitted->transformation.quality_pct, 60);                      // preset
  EXPECT_EQ(admitted->transformation.fit, Fit::Cover);                      // preset
  EXPECT_EQ(admitted->transformation.background, (Color{255, 0, 0, 255}));  // site
  EXPECT_TRUE(admitted->transformation.upscale);                            // site
  EXPECT_FALSE(admitted->transformation.height_px);                         // nobody
  EXPECT_THAT(admitted->preset, IsEmpty());
  EXPECT_EQ(admitted->source, "p/front.jpg");
}

TEST(Admit, ARequestMayNameAnOptionsDefaultAgainstThePreset) {
  SitePolicy site = site_of("    presets: { card: \"up=true&f=webp&flip=h\" }\n");
  Ask ask =
      ask_with({{OptionId::Upscale, "false"}, {OptionId::Format, "auto"}, {OptionId::Flip, "v"}});
  ask.preset = "card";
  auto admitted = admit(ask, site);
  ASSERT_TRUE(admitted);
  EXPECT_FALSE(admitted->transformation.upscale);
  EXPECT_TRUE(admitted->transformation.format_auto);
  EXPECT_EQ(admitted->transformation.flip, Flip::Vertical);
}

// Sets each option in a preset and sees it arrive: an option forgotten in admit() fails here.
TEST(Admit, EveryOptionComesThroughAPreset) {
  const std::map<std::string, std::string> values{
      {"ar", "16:9"}, {"bg", "00ff00"}, {"blur", "2"},         {"crop", "1,2,30,40"},
      {"dpr", "2"},   {"f", "png"},     {"fit", "pad"},        {"flip", "v"},
      {"g", "north"}, {"h", "30"},      {"meta", "copyright"}, {"q", "42"},
      {"rot", "90"},  {"sharp", "1.5"}, {"trim", "10"},        {"up", "true"},
      {"w", "20"},    {"small", "pad"}};
  int checked = 0;
  for (const OptionSpec& spec : option_table()) {
    if (spec.id == OptionId::Preset || spec.id == OptionId::Version) continue;
    auto value = values.find(std::string(spec.name));
    ASSERT_NE(value, values.end()) << "no value for the option " << spec.name;
    SitePolicy site =
        site_of("    presets: { one: { " + value->first + ": \"" + value->second + "\" } }\n");
    Transformation expected;
    ASSERT_TRUE(set_option(expected, spec.id, value->second)) << spec.name;
    ASSERT_NE(expected, Transformation{}) << spec.name;
    Ask ask = ask_with({});
    ask.preset = "one";
    auto admitted = admit(ask, site);
    ASSERT_TRUE(admitted) << admitted.error().detail;
    EXPECT_EQ(admitted->transformation, expected) << spec.name;
    EXPECT_EQ(admitted->named, bit_of(spec.id)) << spec.name;
    ++checked;
  }
  EXPECT_EQ(checked, kOptionCount - 2);
}

TEST(Admit, UnknownPresetsAreRefusedWithTheKnownOnes) {
  std::string presets = "    presets: {";
  for (char c = 'a'; c <= 'l'; ++c) presets += std::string(c > 'a' ? ", " : " ") + c + ": \"w=1\"";
  SitePolicy site = site_of(presets + " }\n");
  Ask ask = ask_with({});
  ask.preset = "zoo";
  auto refused = admit(ask, site);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::BadRequest);
  EXPECT_EQ(refused.error().option, "p");
  EXPECT_EQ(refused.error().detail,
            "preset 'zoo' is not known on site 'shop'; known are: a, b, c, d, e, f, g, h, i, j, …");
  EXPECT_THAT(admit(ask, site_of("")).error().detail, HasSubstr("it has no presets"));
}

TEST(Admit, UnknownParametersAreDroppedOrRefused) {
  Ask ask = ask_with({});
  ask.unknown = {"utm_source", std::string(500, 'x')};
  auto dropped = admit(ask, site_of(""));
  ASSERT_TRUE(dropped);
  EXPECT_THAT(dropped->unknown, IsEmpty());
  auto refused = admit(ask, site_of("    unknown_parameters: refuse\n"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::BadRequest);
  EXPECT_EQ(refused.error().option, "utm_source");
  EXPECT_THAT(refused.error().detail, HasSubstr("'utm_source', 'xxx"));
  EXPECT_LT(refused.error().detail.size(), 250u);
}

struct Beyond {
  const char* w;
  const char* h;
  const char* dpr;
  const char* ar;
  const char* option;  // the option at fault; empty: admitted
};

TEST(Admit, SidesAreLimitedAfterDprAndAspectRatio) {
  SitePolicy site = site_of("    limits: { max_width: 1000, max_height: 500 }\n");
  for (const Beyond& b :
       {Beyond{"1000", "500", nullptr, nullptr, ""}, Beyond{"1001", nullptr, nullptr, nullptr, "w"},
        Beyond{nullptr, "501", nullptr, nullptr, "h"}, Beyond{"500", "250", "2", nullptr, ""},
        Beyond{"501", nullptr, "2", nullptr, "w"}, Beyond{nullptr, "251", "2", nullptr, "h"},
        Beyond{"2000", nullptr, "0.5", nullptr, ""}, Beyond{"16383", nullptr, "8", nullptr, "w"},
        Beyond{"1000", nullptr, nullptr, "2:1", ""}, Beyond{"1000", nullptr, nullptr, "1:1", "h"},
        Beyond{nullptr, "500", nullptr, "3:1", "w"}, Beyond{"300", nullptr, "2", "1:1", "h"}}) {
    Ask ask = ask_with({});
    auto set = [&ask](OptionId id, const char* value) {
      if (value == nullptr) return;
      EXPECT_TRUE(set_option(ask.transformation, id, value)) << value;
    };
    set(OptionId::Width, b.w);
    set(OptionId::Height, b.h);
    set(OptionId::Dpr, b.dpr);
    set(OptionId::AspectRatio, b.ar);
    auto admitted = admit(ask, site);
    EXPECT_EQ(admitted ? "" : admitted.error().option, b.option)
        << (admitted ? "admitted" : admitted.error().detail);
  }
  auto refused = admit(ask_with({{OptionId::Width, "501"}, {OptionId::Dpr, "2"}}), site);
  EXPECT_EQ(refused.error().detail,
            "w: the width of 1002 pixels (501 times dpr) is above the limit of 1000");
  EXPECT_EQ(refused.error().code, ErrorCode::BadRequest);
}

TEST(Admit, TheRequestCannotLiftAPresetAboveTheLimits) {
  SitePolicy site = site_of(
      "    limits: { max_width: 1000 }\n"
      "    presets: { hero: { w: 800 } }\n");
  Ask ask = ask_with({{OptionId::Dpr, "2"}});
  ask.preset = "hero";
  auto refused = admit(ask, site);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().option, "w");
}

TEST(Admit, CanonicalAsksAreOnlyCheckedAgainstLimits) {
  SitePolicy site = site_of(
      "    limits: { max_width: 1000 }\n"
      "    unknown_parameters: refuse\n"
      "    defaults: { q: 75, w: 10 }\n");
  Ask ask = ask_with({{OptionId::Width, "900"}});
  ask.is_canonical = true;
  EXPECT_EQ(*admit(ask, site), ask);
  ask.transformation.width_px = 1001;
  auto refused = admit(ask, site);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().option, "w");
}

}  // namespace
}  // namespace tintype

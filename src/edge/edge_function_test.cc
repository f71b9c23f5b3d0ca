// SPDX-License-Identifier: Apache-2.0
#include "edge/edge_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/edge_config.h"
#include "edge/nginx_edge.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::Not;

Policy policy_of(const std::string& yaml) {
  auto policy = parse_policy(yaml, "/");
  EXPECT_TRUE(policy) << policy.error().detail;
  return policy ? *policy : Policy{};
}

constexpr const char* kPlain = "sites:\n  shop:\n    origin: { folder: /pictures }\n";

constexpr const char* kRich = R"(
sites:
  shop:
    origin: { folder: /pictures }
    limits: { max_width: 4000, max_height: 3000 }
    formats: [webp]
    width_ladder: [320, 640]
    unknown_parameters: refuse
    defaults: { q: 75, g: c }
    presets:
      all: { ar: "16:9", bg: f00, blur: 1.5, crop: "1,2,3,4", dpr: 2, f: webp, fit: inside,
             flip: hv, g: fp-0.25-0.5, h: 9, meta: copyright, q: auto, rot: -90, sharp: 0.8,
             small: pad, trim: "", up: 1, w: auto }
      none: { dpr: auto, f: auto, g: ne, meta: none, rot: 0, small: ratio, up: 0,
              crop: "10p,10p,80p,80p", bg: transparent }
    mounts:
      - { path: /, dialect: imgproxy, keys: [ { key: 00ff, salt: "7f" } ] }
      - { path: /is/image, dialect: scene7, sources: ["https://cdn.example/Ü\"/"] }
)";

TEST(EdgeConfig, SaysWhatThePolicySays) {
  Policy policy = policy_of(kRich);
  SitePolicy& site = policy.sites.at("shop");
  site.allowed_options = bit_of(OptionId::Width) | bit_of(OptionId::Preset);
  site.signing_keys = {"\x01\xff"};
  site.quality_steps = {50, 75};
  site.snap_widths = site.redirects = true;
  EXPECT_EQ(
      edge_config(policy, dialects_of(policy)),
      R"js({"sites":{"shop":{"order":["webp"],"ladder":[320,640],"limits":[4000,3000],)js"
      R"js("presets":{)js"
      R"js("all":{"ar":[16,9],"bg":[255,0,0,255],"blur":150,"crop":[1,2,3,4,false],"dpr":200,)js"
      R"js("f":"webp","fit":"inside","flip":"hv","g":[2500,5000],"h":9,"meta":"copyright",)js"
      R"js("q":"auto","rot":270,"sharp":80,"small":"pad","trim":10,"up":true,"w":"auto"},)js"
      R"js("none":{"bg":[0,0,0,0],"crop":[1000,1000,8000,8000,true],"dpr":"auto","f":null,)js"
      R"js("g":"ne","meta":null,"rot":null,"small":null,"up":null}},)js"
      R"js("defaults":{"g":"c","q":75},"refuse":true,"allowed":["p","w"],"keys":["01ff"],)js"
      R"js("steps":[50,75],"snap":true,"redirect":true,"auto":true}},)js"
      R"js("mounts":[)js"
      R"js({"path":"/is/image","site":"shop","dialect":"scene7",)js"
      R"js("sources":["https://cdn.example/\u00c3\u009c\"/"]},)js"
      R"js({"path":"/","site":"shop","dialect":"imgproxy","keys":[["00ff","7f"]]}]})js");
  EXPECT_TRUE(has_secrets(policy, dialects_of(policy)));
}

TEST(EdgeConfig, LeavesToTheServiceWhatItDoesNotRead) {
  Policy policy = policy_of(kRich);
  EXPECT_EQ(mounts_config(policy, {"native", "scene7"}),
            R"js([{"path":"/is/image","site":"shop","dialect":"scene7",)js"
            R"js("sources":["https://cdn.example/\u00c3\u009c\"/"]},)js"
            R"js({"path":"/","site":"shop"}])js");
  EXPECT_FALSE(has_secrets(policy, {"native", "scene7"}));
}

TEST(EdgeConfig, HoldsNoKeysOfWhatTheServiceVerifies) {
  Policy policy = policy_of(kRich);
  SitePolicy& site = policy.sites.at("shop");
  site.signing_keys = {"0123456789abcdef"};
  site.verify_at_service = true;
  EXPECT_EQ(edge_config(policy, {"native", "imgproxy", "scene7"}),
            R"js({"sites":{"shop":{"order":["webp"],"ladder":[320,640],"limits":[4000,3000],)js"
            R"js("auto":true,"pass":true}},"mounts":[)js"
            R"js({"path":"/is/image","site":"shop"},{"path":"/","site":"shop"}]})js");
  EXPECT_EQ(dialects_of(policy), std::vector<std::string>{"native"});
  EXPECT_FALSE(has_secrets(policy, {"native", "imgproxy", "scene7"}));
  EXPECT_TRUE(sites_for_known_edges(policy).empty());
  auto function = build_edge_function(policy, {.version = "1"});
  ASSERT_TRUE(function) << function.error().detail;
  EXPECT_FALSE(function->has_secrets);
  EXPECT_THAT(function->text, HasSubstr("/_/ask/"));
  EXPECT_THAT(function->text, Not(HasSubstr("createHmac")));
  EXPECT_THAT(*readable_edge_function(policy, "1"), Not(HasSubstr("0123456789abcdef")));
}

TEST(EdgeConfig, LeavesOutWhatStandsAtItsDefault) {
  Policy policy = policy_of(kPlain);
  EXPECT_EQ(edge_config(policy, dialects_of(policy)),
            R"js({"sites":{"shop":{"order":["avif","webp"],"limits":[8192,8192],"presets":{},)js"
            R"js("defaults":{}}},"mounts":[]})js");
  EXPECT_FALSE(has_secrets(policy, dialects_of(policy)));
}

TEST(EdgeConfig, SelectsSitesAndMounts) {
  Policy policy = policy_of(
      "sites:\n"
      "  a:\n    origin: { folder: /a }\n    mounts: [ { path: /one, dialect: imgix },\n"
      "      { path: /two, dialect: ipx } ]\n"
      "  b:\n    origin: { folder: /b }\n    mounts: [ { path: /three, dialect: imgix } ]\n"
      "  c:\n    origin: { folder: /c }\n");
  auto of = [&](const EdgeSelection& selection) {
    auto chosen = select_policy(policy, selection);
    if (!chosen) return chosen.error().detail;
    std::string out;
    for (const auto& [name, site] : chosen->sites) out += name + " ";
    for (const Mount& mount : chosen->mounts) out += mount.path + " ";
    return out;
  };
  EXPECT_EQ(of({}), "a b c /one /two /three ");
  EXPECT_EQ(of({.sites = {"a", "c"}}), "a c /one /two ");
  EXPECT_EQ(of({.mounts = {"/two"}}), "a /two ");
  EXPECT_EQ(of({.sites = {"a"}, .mounts = {"/one", "/three"}}), "a /one ");
  EXPECT_EQ(of({.sites = {"d"}}), "there is no site d in the settings");
  EXPECT_EQ(of({.mounts = {"/d"}}), "there is no mount /d in the settings");
}

TEST(EdgeFunctionText, NamesItselfAndHoldsWhatThePolicyNeeds) {
  auto function = build_edge_function(policy_of(kPlain), {.version = "1.2.3"});
  ASSERT_TRUE(function) << function.error().detail;
  EXPECT_TRUE(function->text.starts_with("// Tintype 1.2.3 edge function, policy "));
  EXPECT_THAT(function->text, HasSubstr(", dialects native\n"));
  EXPECT_THAT(function->text, HasSubstr("function handler("));
  EXPECT_THAT(function->text, Not(HasSubstr("createHmac")));
  EXPECT_EQ(function->dialects, std::vector<std::string>{"native"});
  EXPECT_EQ(function->part_bytes.size(), 2u);

  Policy signing = policy_of(kPlain);
  signing.sites.at("shop").signing_keys = {"secret"};
  auto other = build_edge_function(signing, {.version = "1.2.3"});
  ASSERT_TRUE(other) << other.error().detail;
  EXPECT_THAT(other->text, HasSubstr("createHmac"));
}

TEST(EdgeFunctionText, HasAParserForEveryDialect) {
  for (std::string_view name : dialect_names()) {
    Policy policy = policy_of(kPlain);
    policy.mounts.push_back({.path = "/x", .dialect = *dialect_named(name), .site = "shop"});
    auto function = build_edge_function(policy, {.version = "1"});
    EXPECT_TRUE(function) << function.error().detail;
  }
}

TEST(EdgeFunctionText, TooLargeSaysOfWhatAndWhatToDo) {
  EdgeFunction function{
      .text = std::string(kEdgeFunctionBytes + 1, 'x'),
      .part_bytes = {{"core and native", 9000}, {"imgix", 1000}, {"policy", 241}}};
  auto checked = check_size(function);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::BadRequest);
  EXPECT_THAT(checked.error().detail,
              HasSubstr("has 10241 bytes, and CloudFront takes 10240: core and native 9000, imgix "
                        "1000, policy 241. "));
  EXPECT_THAT(checked.error().detail, HasSubstr("--target nginx"));
  function.text.pop_back();
  EXPECT_TRUE(check_size(function));
}

TEST(EdgeFunctionText, KeepsPoliciesApart) {
  Policy policy = policy_of(kRich);
  auto function = build_edge_function(policy, {.version = "1", .has_policies_apart = true});
  ASSERT_TRUE(function) << function.error().detail;
  EXPECT_THAT(function->text, HasSubstr("\nimport cf from 'cloudfront';"));
  EXPECT_THAT(function->text, HasSubstr("async function handler("));
  EXPECT_THAT(function->text, Not(HasSubstr("3000")));  // of the site's limits
}

TEST(PolicyImport, CutsWhatIsLong) {
  Policy policy = policy_of(kPlain);
  for (int i = 0; i < 100; ++i) {
    policy.sites.at("shop").presets["preset" + std::to_string(i)].named = bit_of(OptionId::Format);
  }
  auto text = policy_import(policy);
  ASSERT_TRUE(text) << text.error().detail;
  EXPECT_TRUE(text->starts_with(R"({"data":[{"key":"shop","value":"3 {\"order\":)"));
  EXPECT_THAT(*text, HasSubstr(R"({"key":"shop/1","value":)"));
  EXPECT_THAT(*text, HasSubstr(R"({"key":"shop/2","value":)"));
  EXPECT_THAT(*text, Not(HasSubstr("shop/3")));
}

NginxOrder nginx_order() {
  return {.version = "1.2.3", .folder = "/srv/edge", .service = "http://10.0.0.7:8080"};
}

std::string file_of(const std::vector<EdgeFile>& files, std::string_view name) {
  for (const EdgeFile& file : files) {
    if (file.name == name) return file.text;
  }
  return "there is none";
}

TEST(NginxEdge, LeavesNoWordUnfilled) {
  NginxOrder order = nginx_order();
  order.store = "https://s3.example/bucket";
  order.secret = "abc";
  order.user = "www-data";
  auto files = nginx_edge(policy_of(kRich), order);
  ASSERT_TRUE(files) << files.error().detail;
  for (const EdgeFile& file : *files) {
    if (file.name == "edge.js") continue;
    EXPECT_THAT(file.text, Not(testing::ContainsRegex("@[A-Z_]+@")));
  }
  std::string conf = file_of(*files, "nginx.conf");
  EXPECT_THAT(conf, HasSubstr("\nuser www-data;\n"));
  EXPECT_THAT(conf, HasSubstr("server 10.0.0.7:8080;"));
  EXPECT_THAT(conf, HasSubstr("server s3.example:443;"));
  EXPECT_THAT(conf, HasSubstr("proxy_pass https://edge_store/bucket$request_uri;"));
  EXPECT_THAT(conf, Not(HasSubstr("abc")));
  EXPECT_EQ(file_of(*files, "secret.conf"), "proxy_set_header X-Origin-Verify \"abc\";\n");
}

TEST(NginxEdge, SplitsAddressesOfIpv6) {
  NginxOrder order = nginx_order();
  for (const char* service : {"https://[::1]:8443", "https://[::1]"}) {
    order.service = service;
    auto files = nginx_edge(policy_of(kPlain), order);
    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_THAT(file_of(*files, "nginx.conf"), HasSubstr("proxy_ssl_name [::1];"));
  }
  order.service = "https://[::1";
  EXPECT_FALSE(nginx_edge(policy_of(kPlain), order));
}

TEST(NginxEdge, RefusesWhatWouldBeOtherSettings) {
  auto fault = [](auto change) {
    NginxOrder order = nginx_order();
    change(order);
    auto files = nginx_edge(policy_of(kPlain), order);
    return files ? std::string("no fault") : files.error().detail;
  };
  EXPECT_THAT(fault([](NginxOrder& o) { o.listen = "80; }"; }), HasSubstr("--listen 80; }"));
  EXPECT_THAT(fault([](NginxOrder& o) { o.service = "ftp://a"; }), HasSubstr("--service ftp://a"));
  EXPECT_THAT(fault([](NginxOrder& o) { o.service = "http://a/b"; }), HasSubstr("without a path"));
  EXPECT_THAT(fault([](NginxOrder& o) { o.store = "http://u:p@a/"; }), HasSubstr("--store"));
  EXPECT_THAT(fault([](NginxOrder& o) { o.cache_size = "1g x"; }), HasSubstr("--cache-size"));
  EXPECT_THAT(fault([](NginxOrder& o) { o.secret = "a\"b"; }), HasSubstr("--secret-file"));
  EXPECT_THAT(fault([](NginxOrder& o) { o.folder = "/" + std::string(87, 'a'); }),
              HasSubstr("--out"));
}

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// Runs spec/vectors/*.txt of the vendors' dialects: what the server and the edge function must
// answer alike. The grammar stands at the head of spec/vectors/native.txt, with these besides:
//
//   mount <path> <dialect> <site> [key=<text>|keyhex=<hex>] [salthex=<hex>] [source=<URL>]
//   preset <name> <options>          a preset of the site, from here on
//   defaults <options>               the site's defaults
//   allow <option>, …                the only options that may be named; "allow all" ends it
//   steps <quality>, …               quality steps; "steps none" ends it
//   ladder <width>, …                the width ladder
//   snap on|off                      whether asked widths are raised to it
//   unknown drop|refuse              what is done with unknown parameters
//   sign <key>, …                    the keys of our own signatures; "sign none" ends it
//   verify edge|service              where signatures are checked: "service" trusts no edge
//   pass <target> | <headers> -> <path>   what the edge makes of a target that it passes on; run by
//                                    tests/edge/vectors.mjs and by delivery/passed_on_test.cc
//   now <Unix seconds>               what expiring URLs are held against
//
// The native dialect's own vectors are run in dialect/, without a policy.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "policy/policy.h"
#include "policy/signature.h"
#include "policy/vectors_testing.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"
#include "transform/settle.h"

namespace tintype {
namespace {

class VectorFile {
 public:
  explicit VectorFile(const std::filesystem::path& path) : path_(path) {
    site_.name = "shop";
    site_.limits.max_width_px = site_.limits.max_height_px = kMaxSide;
  }

  // The number of vectors.
  int run() {
    std::ifstream in(path_);
    EXPECT_TRUE(in.good()) << path_;
    std::string line;
    int number = 0, vectors = 0;
    while (std::getline(in, line)) {
      ++number;
      SCOPED_TRACE(path_.filename().string() + ":" + std::to_string(number) + ": " + line);
      std::string_view text = trim(line);
      if (text.empty() || text.starts_with('#') || take_directive(text)) continue;
      vectors += run_vector(text);
    }
    return vectors;
  }

 private:
  bool take_directive(std::string_view text) {
    auto words = split(text, ' ');
    if (words[0] == "mount" && words.size() >= 4) {
      add_mount(mounts_, words);
    } else if (words[0] == "pass") {
      return true;
    } else if (words[0] == "preset" && words.size() == 3) {
      site_.presets[std::string(words[1])] = options_of(words[2]);
    } else if (words[0] == "defaults" && words.size() == 2) {
      site_.defaults = options_of(words[1]);
    } else {
      return !text.starts_with('/') && take_rule(words[0], list_of(text.substr(words[0].size())));
    }
    return true;
  }

  static std::vector<std::string> list_of(std::string_view text) {
    std::vector<std::string> items;
    for (std::string_view item : split(text, ',')) items.emplace_back(trim(item));
    return items;
  }
  static std::vector<std::int32_t> numbers_of(const std::vector<std::string>& items) {
    std::vector<std::int32_t> numbers;
    for (const std::string& item : items) {
      if (item != "none") numbers.push_back(static_cast<std::int32_t>(parse_int(item).value()));
    }
    return numbers;
  }

  bool take_rule(std::string_view name, const std::vector<std::string>& items) {
    if (name == "order") {
      site_.format_order.clear();
      for (const std::string& item : items) {
        site_.format_order.push_back(format_named(item).value());
      }
    } else if (name == "allow") {
      site_.allowed_options.reset();
      if (items.front() == "all") return true;
      site_.allowed_options = 0;
      for (const std::string& item : items) {
        *site_.allowed_options |= bit_of(find_option(item)->id);
      }
    } else if (name == "steps") {
      site_.quality_steps = numbers_of(items);
    } else if (name == "ladder") {
      site_.width_ladder = numbers_of(items);
    } else if (name == "snap") {
      site_.snap_widths = items.front() == "on";
    } else if (name == "unknown") {
      bool refuses = items.front() == "refuse";
      site_.unknown_parameters = refuses ? UnknownParameters::Refuse : UnknownParameters::Drop;
    } else if (name == "sign") {
      site_.signing_keys.clear();
      if (items.front() != "none") site_.signing_keys = items;
    } else if (name == "verify") {
      site_.verify_at_service = items.front() == "service";
    } else if (name == "now") {
      caller_.now_unix_seconds = parse_int(items.front()).value();
    } else {
      return false;
    }
    return true;
  }

  static SitePolicy::OptionSet options_of(std::string_view query) {
    Ask ask = parse_target("/shop/x?" + std::string(query)).value();
    return {.transformation = ask.transformation, .named = ask.named};
  }

  std::string answer(std::string_view target, std::string_view accept, const Caller& caller) const {
    auto describe = [](const Error& error) {
      std::string text = "error " + std::string(name_of(error.code));
      return error.option.empty() ? text : text + " " + error.option;
    };
    auto ask = parse_target(target, mounts_);
    if (!ask) return describe(ask.error());
    auto let_in = check_caller(*ask, site_, caller);
    if (!let_in) return describe(let_in.error());
    auto admitted = admit(*ask, site_);
    if (!admitted) return describe(admitted.error());
    const HintTexts headers = HintTexts::parse(accept);
    SettleRules rules(site_.format_order);
    if (!site_.width_ladder.empty()) rules.width_ladder = site_.width_ladder;
    rules.quality_steps = site_.quality_steps;
    rules.snaps_widths = site_.snap_widths;
    rules.max_height_px = site_.limits.max_height_px;
    auto settled = settle(*admitted, headers.hints(), rules);
    if (!settled) return describe(settled.error());
    return canonical_path(*admitted, *settled);
  }

  int run_vector(std::string_view text) {
    std::size_t arrow = text.rfind(" -> ");
    EXPECT_NE(arrow, std::string_view::npos) << "neither comment, directive nor vector";
    if (arrow == std::string_view::npos) return 0;
    std::string expected(trim(text.substr(arrow + 4)));
    std::string_view request = text.substr(0, arrow);
    std::size_t bar = request.find(" | ");
    std::string_view accept;
    if (bar != std::string_view::npos) accept = trim(request.substr(bar + 3));
    std::string_view target = trim(request.substr(0, bar));
    EXPECT_EQ(answer(target, accept, caller_), expected);
    if (site_.verify_at_service) {
      Caller edge = caller_;
      edge.is_edge = true;
      EXPECT_EQ(answer(target, accept, edge), expected) << "asked by the edge";
    }
    // What is canonical is served as it stands, whatever is accepted.
    if (expected.starts_with('/')) {
      auto ask = parse_target(expected);
      EXPECT_TRUE(ask && ask->is_canonical);
    }
    return 1;
  }

  std::filesystem::path path_;
  SitePolicy site_;
  Caller caller_;
  std::vector<Mount> mounts_;
};

// The counts keep a truncated file from passing.
constexpr std::pair<std::string_view, int> kLeast[] = {
    {"bunny", 20},  {"cloudflare", 40}, {"cloudinary", 60}, {"dit", 40},     {"fastly", 40},
    {"imgix", 60},  {"imgproxy", 60},   {"ipx", 30},        {"netlify", 10}, {"next", 10},
    {"policy", 60}, {"scene7", 60},     {"thumbor", 40},    {"vercel", 10},  {"weserv", 40}};

class Vectors : public testing::TestWithParam<std::pair<std::string_view, int>> {};

TEST_P(Vectors, AreAnsweredAsWritten) {
  auto [name, least] = GetParam();
  VectorFile file(std::filesystem::path(TINTYPE_ROOT "/spec/vectors") /
                  (std::string(name) + ".txt"));
  EXPECT_GE(file.run(), least);
}

INSTANTIATE_TEST_SUITE_P(Dialects, Vectors, testing::ValuesIn(kLeast),
                         [](const auto& of) { return std::string(of.param.first); });

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// Runs spec/vectors/*.txt of the vendors' dialects: what the server and the edge function must
// answer alike. The grammar stands at the head of spec/vectors/native.txt, with these besides:
//
//   mount <path> <dialect> <site> [key=<text>|keyhex=<hex>] [salthex=<hex>] [source=<URL>]
//   preset <name> <options>          a preset of the site, from here on
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
      add_mount(words);
    } else if (words[0] == "order") {
      site_.format_order.clear();
      for (std::string_view name : split(text.substr(6), ',')) {
        site_.format_order.push_back(format_named(trim(name)).value());
      }
    } else if (words[0] == "preset" && words.size() == 3) {
      add_preset(std::string(words[1]), words[2]);
    } else {
      return false;
    }
    return true;
  }

  void add_mount(const std::vector<std::string_view>& words) {
    Mount mount{.path = std::string(words[1]), .site = std::string(words[3])};
    auto dialect = dialect_named(words[2]);
    ASSERT_TRUE(dialect) << words[2];
    mount.dialect = *dialect;
    MountKey key;
    for (std::size_t i = 4; i < words.size(); ++i) {
      std::string_view name = words[i].substr(0, words[i].find('='));
      std::string value(words[i].substr(name.size() + 1));
      if (name == "key") key.key = value;
      if (name == "keyhex") key.key = from_hex(value);
      if (name == "salthex") key.salt = from_hex(value);
      if (name == "source") mount.sources.push_back(value);
    }
    if (!key.key.empty()) mount.keys.push_back(key);
    std::erase_if(mounts_, [&](const Mount& other) { return other.path == mount.path; });
    mounts_.push_back(std::move(mount));
  }
  static std::string from_hex(std::string_view text) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); i += 2) escaped.append("%").append(text.substr(i, 2));
    return percent_decode(escaped).value();
  }

  void add_preset(const std::string& name, std::string_view query) {
    auto ask = parse_target("/shop/x?" + std::string(query));
    ASSERT_TRUE(ask) << ask.error().detail;
    site_.presets[name] = {.transformation = ask->transformation, .named = ask->named};
  }

  std::string answer(std::string_view target, std::string_view accept) const {
    auto describe = [](const Error& error) {
      std::string text = "error " + std::string(name_of(error.code));
      return error.option.empty() ? text : text + " " + error.option;
    };
    auto ask = parse_target(target, mounts_);
    if (!ask) return describe(ask.error());
    auto admitted = admit(*ask, site_);
    if (!admitted) return describe(admitted.error());
    const HintTexts headers = HintTexts::parse(accept);
    auto settled = settle(*admitted, headers.hints(), site_.format_order);
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
    EXPECT_EQ(answer(trim(request.substr(0, bar)), accept), expected);
    // What is canonical is served as it stands, whatever is accepted.
    if (expected.starts_with('/')) {
      auto ask = parse_target(expected);
      EXPECT_TRUE(ask && ask->is_canonical);
    }
    return 1;
  }

  std::filesystem::path path_;
  SitePolicy site_;
  std::vector<Mount> mounts_;
};

// The counts keep a truncated file from passing.
constexpr std::pair<std::string_view, int> kLeast[] = {
    {"bunny", 20},  {"cloudflare", 40}, {"cloudinary", 60}, {"dit", 40},     {"fastly", 40},
    {"imgix", 60},  {"imgproxy", 60},   {"ipx", 30},        {"netlify", 10}, {"next", 10},
    {"scene7", 60}, {"thumbor", 40},    {"vercel", 10},     {"weserv", 40}};

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

// SPDX-License-Identifier: Apache-2.0
// Every vector of spec/vectors that is answered with a path, translated into every language that is
// written: each URL that comes out has the same canonical path for every kind of client, each
// refusal names an option. The rest is what a few settings say.
#include "delivery/translate.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "base/text.h"
#include "delivery/naming.h"
#include "dialect/dialect.h"
#include "dialect/write.h"
#include "policy/vectors_testing.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

constexpr std::string_view kClients[] = {
    "",
    "image/avif,image/webp,*/*",
    "image/webp",
    "image/avif",
    "image/png,image/jpeg",
    "image/avif;q=0.5,image/webp;q=0.9",
    "Accept: image/avif | Sec-CH-DPR: 2",
    "Accept: image/webp | Sec-CH-Width: 700 | Sec-CH-DPR: 3",
    "Sec-CH-Viewport-Width: 390 | Sec-CH-DPR: 3 | Save-Data: on",
    "Accept: image/avif,image/webp | ECT: 3g"};

std::string path_for(std::string_view target, std::string_view client, const SharedPolicy& policy) {
  const HintTexts headers = HintTexts::parse(client);
  Viewing viewing{.target = target, .hints = headers.hints()};
  auto named = name_variant(viewing, policy, 0);
  return named ? named->path : std::string(name_of(named.error().code));
}

// What a vector file says of the site, as far as it makes a difference to what a URL means. The
// grammar stands in policy/vectors_test.cc.
class VectorSite {
 public:
  VectorSite() {
    site_.name = "shop";
    site_.limits.max_width_px = site_.limits.max_height_px = kMaxSide;
    for (Dialect to :
         {Dialect::Imgix, Dialect::Cloudinary, Dialect::Imgproxy, Dialect::Thumbor, Dialect::Dit}) {
      written_.push_back(written_mount(to));
      written_.back().keys = {{.key = "secret", .salt = to == Dialect::Imgproxy ? "salt" : ""}};
    }
    for (Dialect to :
         {Dialect::Fastly, Dialect::Scene7, Dialect::Cloudflare, Dialect::Weserv, Dialect::Ipx,
          Dialect::Native, Dialect::Bunny, Dialect::Next, Dialect::Vercel, Dialect::Netlify}) {
      written_.push_back(written_mount(to));
    }
  }

  // False for what is no directive of these.
  bool take(std::string_view line) {
    auto words = split(line, ' ');
    if (words[0] == "mount") {
      add_mount(mounts_, words);
      return true;
    }
    if (words[0] == "preset") site_.presets[std::string(words[1])] = options_of(words[2]);
    if (words[0] == "defaults") site_.defaults = options_of(words[1]);
    std::string_view list = line.substr(words[0].size());
    if (words[0] == "order") {
      site_.format_order.clear();
      for (auto item : split(list, ',')) site_.format_order.push_back(*format_named(trim(item)));
    }
    if (words[0] == "steps") site_.quality_steps = numbers_of(list);
    if (words[0] == "ladder") site_.width_ladder = numbers_of(list);
    if (words[0] == "snap") site_.snap_widths = trim(list) == "on";
    return !line.starts_with('/');
  }

  SharedPolicy policy() const {
    auto policy = std::make_shared<Policy>();
    SitePolicy site = site_;
    site.mounts = mounts_;
    site.mounts.insert(site.mounts.end(), written_.begin(), written_.end());
    policy->mounts = site.mounts;
    // Of the vendor's own mounts none is written.
    site.mounts = written_;
    policy->sites["shop"] = site;
    return policy;
  }

 private:
  static Mount written_mount(Dialect to) {
    return {.path = "/written/" + std::string(name_of(to)),
            .dialect = to,
            .site = "shop",
            .keys = {},
            .sources = {"https://cdn.example/"}};
  }
  static std::vector<std::int32_t> numbers_of(std::string_view list) {
    std::vector<std::int32_t> numbers;
    for (auto item : split(list, ',')) {
      auto number = parse_int(trim(item));
      if (number) numbers.push_back(static_cast<std::int32_t>(*number));
    }
    return numbers;
  }
  static SitePolicy::OptionSet options_of(std::string_view query) {
    Ask ask = parse_target("/shop/x?" + std::string(query)).value();
    return {.transformation = ask.transformation, .named = ask.named};
  }

  SitePolicy site_;
  std::vector<Mount> mounts_, written_;
};

struct Counts {
  int written = 0, refused = 0;
  std::map<std::string, int> refused_for;  // option
};
using Tally = std::map<Dialect, Counts>;

void expect_round_trip(Tally& tally, const std::string& target, const SharedPolicy& policy) {
  auto asked = parse_target(target, policy->mounts);
  ASSERT_TRUE(asked);
  // Outside of all mounts the first segment is a site, whatever it is.
  if (asked->site != "shop") return;
  for (const Mount& mount : policy->find("shop")->mounts) {
    Counts& counts = tally[mount.dialect];
    SCOPED_TRACE(name_of(mount.dialect));
    auto translation = translate(*asked, *policy, mount.dialect);
    if (!translation) {
      EXPECT_EQ(translation.error().code, ErrorCode::UnsupportedOption)
          << translation.error().detail;
      const std::string& option = translation.error().option;
      EXPECT_TRUE(option == "source" || find_option(option)) << translation.error().detail;
      ++counts.refused;
      ++counts.refused_for[option];
      continue;
    }
    ++counts.written;
    // A preset that wins over options beside it: a note says so.
    bool is_other_by_note = mount.dialect == Dialect::Native && !translation->note.empty();
    if (is_other_by_note) continue;
    // A native URL outside of all mounts is one of a host without the vector's mounts.
    auto asking = std::make_shared<Policy>(*policy);
    if (translation->target.starts_with("/shop/")) asking->mounts.clear();
    for (std::string_view client : kClients) {
      SCOPED_TRACE(translation->target + " | " + std::string(client));
      EXPECT_EQ(path_for(translation->target, client, asking), path_for(target, client, policy));
    }
  }
}

void run_file(Tally& tally, const std::filesystem::path& file) {
  std::ifstream in(file);
  ASSERT_TRUE(in.good()) << file;
  VectorSite site;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#') || site.take(text)) continue;
    std::size_t arrow = text.rfind(" -> ");
    ASSERT_NE(arrow, std::string_view::npos) << line;
    if (!trim(text.substr(arrow + 4)).starts_with('/')) continue;
    SCOPED_TRACE(file.filename().string() + ":" + std::to_string(number) + ": " + line);
    std::string_view request = text.substr(0, arrow);
    expect_round_trip(tally, std::string(trim(request.substr(0, request.find(" | ")))),
                      site.policy());
  }
}

// How many vectors can be said in a language, and how many cannot, at least: a writer must not get
// worse in silence, nor a check easier. What cannot is mostly a format or a quality that the
// language cannot leave open, or an option that it does not have.
struct Least {
  Dialect dialect;
  int written, refused;
};
constexpr Least kLeast[] = {{Dialect::Cloudflare, 1290, 300}, {Dialect::Cloudinary, 1570, 100},
                            {Dialect::Fastly, 1450, 180},     {Dialect::Imgix, 1390, 230},
                            {Dialect::Imgproxy, 1260, 350},   {Dialect::Ipx, 1540, 120},
                            {Dialect::Native, 1700, 2},       {Dialect::Scene7, 1160, 420},
                            {Dialect::Thumbor, 1150, 440},    {Dialect::Weserv, 1210, 390},
                            {Dialect::Bunny, 1160, 500},      {Dialect::Dit, 1180, 500},
                            {Dialect::Netlify, 650, 1000},    {Dialect::Next, 70, 1600},
                            {Dialect::Vercel, 70, 1600}};

TEST(Translate, EveryVectorComesBackOrIsRefused) {
  Tally tally;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TINTYPE_ROOT "/spec/vectors")) {
    run_file(tally, entry.path());
    ++files;
  }
  EXPECT_GE(files, 16);
  EXPECT_EQ(tally.size(), std::size(kLeast));
  for (const Least& least : kLeast) {
    const Counts& counts = tally[least.dialect];
    std::string refusals;
    for (const auto& [option, times] : counts.refused_for) {
      refusals += " " + option + ":" + std::to_string(times);
    }
    SCOPED_TRACE(std::string(name_of(least.dialect)) + ", refused for" + refusals);
    EXPECT_GE(counts.written, least.written);
    EXPECT_GE(counts.refused, least.refused);
    RecordProperty(std::string(name_of(least.dialect)), counts.written);
  }
}

SharedPolicy policy_of(const std::string& rules) {
  return std::make_shared<const Policy>(
      parse_policy("sites:\n  shop:\n    origin: { folder: . }\n" + rules, "/").value());
}

// "/i/…", or "error <code> <option>: <detail>", or "<target> (<note>)".
std::string translated(const std::string& rules, std::string_view target, Dialect to) {
  SharedPolicy policy = policy_of(rules);
  auto asked = parse_target(target, policy->mounts);
  if (!asked) return "not read";
  auto translation = translate(*asked, *policy, to);
  if (!translation) {
    const Error& error = translation.error();
    return "error " + std::string(name_of(error.code)) + " " + error.option + ": " + error.detail;
  }
  return translation->target + (translation->note.empty() ? "" : " (" + translation->note + ")");
}

constexpr char kMounts[] =
    "    mounts:\n"
    "      - { path: /i, dialect: imgix }\n"
    "      - { path: /t, dialect: thumbor }\n";

TEST(Translate, SaysWhichMountsThereAre) {
  EXPECT_EQ(translated(kMounts, "/shop/a.jpg?w=4", Dialect::Ipx),
            "error not-found : site shop has no ipx mount; it has /i (imgix), /t (thumbor)");
  EXPECT_EQ(translated("", "/shop/a.jpg?w=4", Dialect::Ipx),
            "error not-found : site shop has no ipx mount");
  EXPECT_EQ(translated("", "/show/a.jpg?w=4", Dialect::Native),
            "error not-found : there is no site named show");
}

TEST(Translate, TakesTheFirstMountThatCan) {
  const char mounts[] =
      "    mounts:\n"
      "      - { path: /a/image/fetch, dialect: cloudinary }\n"
      "      - { path: /b, dialect: cloudinary }\n";
  EXPECT_EQ(translated(mounts, "/shop/p/a.jpg?w=4&f=jpeg", Dialect::Cloudinary),
            "/a/image/fetch/c_limit,w_4//p/a.jpg");
}

TEST(Translate, WritesPresetsOut) {
  const std::string rules = std::string(kMounts) + "    presets: { card: 'w=8&h=6&fit=cover' }\n";
  EXPECT_EQ(translated(rules, "/shop/a.jpg?p=card&up=1&f=jpeg", Dialect::Imgix),
            "/i/a.jpg?w=8&h=6&fit=crop&q=80 (the preset card is written out)");
  EXPECT_EQ(translated(rules, "/shop/a.jpg?p=card&w=4", Dialect::Native), "/shop/a.jpg?p=card&w=4");
  EXPECT_EQ(translated(rules, "/shop/a.jpg?p=cart", Dialect::Imgix).substr(0, 21),
            "error bad-request p: ");
}

// In Cloudinary's words what is not said yields to the preset, natively what is said does not.
TEST(Translate, WarnsWhereAPresetWouldNotWin) {
  const std::string rules =
      "    mounts: [{ path: /c, dialect: cloudinary }]\n"
      "    presets: { card: 'w=8&h=6&fit=cover&up=1', fast: 'w=8&f=webp' }\n";
  EXPECT_EQ(translated(rules, "/c/t_card/a.jpg", Dialect::Native), "/shop/a.jpg?f=jpeg&p=card");
  EXPECT_EQ(translated(rules, "/c/t_fast/a.jpg", Dialect::Native),
            "/shop/a.jpg?f=jpeg&p=fast (here the preset wins over options beside it; in the native "
            "dialect they win)");
}

// An imgix URL names its gravity, fit and quality where it does not say them too.
TEST(Translate, NamesWhatTheSiteWouldFill) {
  const std::string rules =
      std::string(kMounts) + "    defaults: 'g=smart&q=50&up=1&fit=cover&small=pad'\n";
  EXPECT_EQ(translated(rules, "/i/a.jpg?w=8&h=6&fit=max&q=80", Dialect::Native),
            "/shop/a.jpg?f=jpeg&fit=inside&h=6&q=80&small=ratio&up=0&w=8");
  EXPECT_EQ(translated(rules, "/t/unsafe/8x6/a.jpg", Dialect::Native),
            "/shop/a.jpg?f=jpeg&fit=cover&g=c&h=6&q=80&small=cut&up=1&w=8");
  // A canonical path names all there is.
  EXPECT_EQ(translated(rules, "/shop/a.jpg/_/w-4.webp", Dialect::Native),
            "/shop/a.jpg?f=webp&fit=inside&g=c&q=80&small=ratio&up=0&w=4");
  // And the other way round.
  EXPECT_EQ(translated(rules, "/shop/a.jpg?w=8&h=6&f=jpeg", Dialect::Imgix),
            "/i/a.jpg?w=8&h=6&fit=crop&crop=entropy&q=50");
}

TEST(Translate, RefusesWhatADefaultWouldFillAndNoWordUndoes) {
  EXPECT_EQ(translated(std::string(kMounts) + "    defaults: 'blur=2'\n", "/shop/a.jpg/_/w-4.jpeg",
                       Dialect::Native),
            "error unsupported-option blur: blur: that there is none cannot be said in native");
}

TEST(Translate, WritesBelowANativeMountWhereAnotherHidesTheNative) {
  const char mounts[] =
      "    mounts:\n"
      "      - { path: /, dialect: imgix }\n"
      "      - { path: /own, dialect: native }\n";
  EXPECT_EQ(translated(mounts, "/a.jpg?w=4&fit=max", Dialect::Native),
            "/own/a.jpg?f=jpeg&q=75&w=4");
}

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "transform/option_table.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Json = nlohmann::json;

const Json& spec() {
  static const Json parsed = [] {
    std::ifstream in(TINTYPE_ROOT "/spec/options.json");
    return Json::parse(in);
  }();
  return parsed;
}

// The canonical text of `value` given to `id`, "(default)" where it prints nothing, "(refused)".
std::string reprinted(OptionId id, std::string_view value) {
  Transformation t;
  if (!set_option(t, id, value)) return "(refused)";
  return print_option(t, id).value_or("(default)");
}

std::string fixed_text(std::int64_t value, int decimals) {
  std::string out;
  append_fixed(out, value, decimals);
  return out;
}

TEST(OptionTable, EqualsTheSharedSpecification) {
  const Json& options = spec().at("options");
  ASSERT_EQ(options.size(), option_table().size());
  EXPECT_EQ(spec().at("max_side_px"), kMaxSide);
  for (const OptionSpec& ours : option_table()) {
    const Json& theirs = options.at(static_cast<std::size_t>(ours.id));
    SCOPED_TRACE(ours.name);
    EXPECT_EQ(theirs.at("order"), static_cast<int>(ours.id));
    EXPECT_EQ(theirs.at("name"), ours.name);
    EXPECT_EQ(theirs.at("allowed"), ours.allowed);
    EXPECT_EQ(theirs.at("default"), ours.fallback);
    EXPECT_EQ(theirs.at("doc"), ours.doc);
    EXPECT_EQ(theirs.at("example"), ours.example);
    std::vector<std::string> aliases(ours.aliases.begin(), ours.aliases.end());
    EXPECT_EQ(theirs.at("aliases").get<std::vector<std::string>>(), aliases);
  }
}

TEST(OptionTable, RowsStandAtTheirIdAndInAlphabeticalOrder) {
  std::string_view before;
  int row = 0;
  for (const OptionSpec& spec : option_table()) {
    EXPECT_EQ(static_cast<int>(spec.id), row++);
    EXPECT_LT(before, spec.name);
    before = spec.name;
  }
}

TEST(OptionTable, FindsEveryNameAndAliasInAnyCase) {
  for (const OptionSpec& spec : option_table()) {
    EXPECT_EQ(find_option(spec.name), &spec);
    for (std::string_view alias : spec.aliases) {
      std::string upper(alias);
      for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      EXPECT_EQ(find_option(alias), &spec);
      EXPECT_EQ(find_option(upper), &spec) << upper;
    }
  }
}

TEST(OptionTable, FindsNothingElse) {
  for (std::string_view name : {"", "ww", "wi", "width2", "utm_source", "_", "w ", " w",
                                "\xEF\xBD\x97", "{", "`", "z", "widt", "ar ", "upscalee"}) {
    EXPECT_EQ(find_option(name), nullptr) << name;
  }
}

TEST(OptionTable, WordsOfTheSpecificationMeanWhatItSays) {
  for (const Json& option : spec().at("options")) {
    if (!option.contains("words")) continue;
    OptionId id = find_option(option.at("name").get<std::string>())->id;
    for (const auto& [spelled, canonical] : option.at("words").items()) {
      SCOPED_TRACE(spelled);
      std::string first = reprinted(id, spelled),
                  again = reprinted(id, canonical.get<std::string>());
      EXPECT_NE(first, "(refused)");
      EXPECT_EQ(first, again);
      if (first != "(default)") {
        EXPECT_EQ(first, canonical.get<std::string>());
      }
    }
  }
}

// One of the first words, one of the second, or both in this order, with or without "-".
TEST(OptionTable, WordsOfCornersAreMadeOfTwo) {
  const Json& option = spec().at("options").at(static_cast<std::size_t>(OptionId::Gravity));
  const Json& seconds = option.at("second_words");
  for (const auto& [first, up] : option.at("first_words").items()) {
    EXPECT_EQ(reprinted(OptionId::Gravity, first), up) << first;
    for (const auto& [second, across] : seconds.items()) {
      std::string canonical = up.get<std::string>() + across.get<std::string>();
      for (const std::string& spelled : {first + second, first + "-" + second}) {
        EXPECT_EQ(reprinted(OptionId::Gravity, spelled), canonical) << spelled;
      }
      EXPECT_EQ(reprinted(OptionId::Gravity, second + first), "(refused)") << second << first;
      EXPECT_EQ(reprinted(OptionId::Gravity, first + "--" + second), "(refused)");
    }
    EXPECT_EQ(reprinted(OptionId::Gravity, first + "-"), "(refused)") << first;
  }
  for (const auto& [second, across] : seconds.items()) {
    EXPECT_EQ(reprinted(OptionId::Gravity, second), across) << second;
    EXPECT_EQ(reprinted(OptionId::Gravity, "-" + second), "(refused)") << second;
  }
}

TEST(OptionTable, RangesOfTheSpecificationAreHeldToTheLastStep) {
  int ranges = 0;
  for (const Json& option : spec().at("options")) {
    if (!option.contains("min")) continue;
    ++ranges;
    OptionId id = find_option(option.at("name").get<std::string>())->id;
    SCOPED_TRACE(option.at("name"));
    int decimals = option.value("decimals", 0);
    std::int64_t scale = decimals == 2 ? 100 : 1;
    auto min = std::llround(option.at("min").get<double>() * static_cast<double>(scale));
    auto max = std::llround(option.at("max").get<double>() * static_cast<double>(scale));
    EXPECT_EQ(reprinted(id, fixed_text(min, decimals)), fixed_text(min, decimals));
    EXPECT_EQ(reprinted(id, fixed_text(max, decimals)), fixed_text(max, decimals));
    EXPECT_EQ(reprinted(id, fixed_text(min - 1, decimals)), "(refused)");
    EXPECT_EQ(reprinted(id, fixed_text(max + 1, decimals)), "(refused)");
  }
  EXPECT_EQ(ranges, 7);
}

TEST(OptionTable, EmptyValuesMeanWhatTheSpecificationSays) {
  for (const Json& option : spec().at("options")) {
    if (option.at("type") == "token") continue;
    OptionId id = find_option(option.at("name").get<std::string>())->id;
    SCOPED_TRACE(option.at("name"));
    std::string expected =
        option.contains("empty") ? option.at("empty").get<std::string>() : "(refused)";
    EXPECT_EQ(reprinted(id, ""), expected);
  }
}

TEST(OptionTable, ExamplesWork) {
  for (const OptionSpec& spec : option_table()) {
    bool names_itself = false;
    for (std::string_view parameter : split(spec.example, '&')) {
      std::size_t equals = parameter.find('=');
      const OptionSpec* found = find_option(parameter.substr(0, equals));
      ASSERT_NE(found, nullptr) << spec.example;
      names_itself = names_itself || found == &spec;
      bool is_token = found->id == OptionId::Preset || found->id == OptionId::Version;
      std::string_view value = parameter.substr(equals + 1);
      if (is_token) {
        EXPECT_TRUE(parse_token(found->id, value).has_value()) << spec.example;
      } else {
        EXPECT_NE(reprinted(found->id, value), "(refused)") << spec.example;
      }
    }
    EXPECT_TRUE(names_itself) << spec.example;
  }
}

TEST(OptionTable, DefaultQualitiesEqualTheSpecification) {
  const Json& quality = spec().at("options").at(static_cast<std::size_t>(OptionId::Quality));
  for (const auto& [format, pct] : quality.at("default_by_format").items()) {
    EXPECT_EQ(default_quality_pct(*format_named(format)), pct) << format;
  }
}

TEST(OptionTable, TokensAreShortAndPlain) {
  std::string longest(64, 'a');
  EXPECT_EQ(parse_token(OptionId::Preset, "Thumb.v2~x-1"), "Thumb.v2~x-1");
  EXPECT_EQ(parse_token(OptionId::Version, longest), longest);
  for (std::string text : {std::string(), longest + "a", std::string("a_b"), std::string("a/b"),
                           std::string("\xC3\xA9"), std::string("a\0b", 3)}) {
    auto token = parse_token(OptionId::Version, text);
    ASSERT_FALSE(token.has_value()) << text;
    EXPECT_EQ(token.error().option, "v");
  }
}

TEST(OptionTable, FailuresNameOptionValueAndWhatIsAllowed) {
  Transformation t;
  auto result = set_option(t, OptionId::Width, "9x");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::BadRequest);
  EXPECT_EQ(result.error().detail, "w=9x: must be 1 to 16383 (pixels), or auto");
  EXPECT_EQ(result.error().option, "w");
  EXPECT_EQ(t, Transformation{}) << "a refused value must not leave traces";
}

TEST(OptionTable, FailuresShowNoControlCharactersAndNoLongTexts) {
  EXPECT_EQ(shown("a\r\nb\x7F\xC2\x85"), "a??b??");
  EXPECT_EQ(shown("\xFF\xFEok"), "??ok");
  EXPECT_EQ(shown(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(shown(std::string(61, 'x')), std::string(60, 'x') + "...");
  std::string umlauts;
  for (int i = 0; i < 61; ++i) umlauts += "\xC3\xBC";
  EXPECT_EQ(shown(umlauts), umlauts.substr(0, 120) + "...");
}

}  // namespace
}  // namespace tintype

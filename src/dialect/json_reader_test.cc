// SPDX-License-Identifier: Apache-2.0
#include "dialect/json_reader.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

using Kind = JsonValue::Kind;

JsonValue read(std::string_view text) {
  auto value = read_json(text);
  EXPECT_TRUE(value.has_value()) << text << ": " << value.error().detail;
  return value ? *value : JsonValue{};
}

void expect_refused(std::string_view text) {
  auto value = read_json(text);
  ASSERT_FALSE(value.has_value()) << text;
  EXPECT_EQ(value.error().code, ErrorCode::BadRequest) << text;
  EXPECT_TRUE(value.error().detail.starts_with("the JSON is malformed at byte ")) << text;
}

TEST(JsonReader, ReadsWordsAndNumbersAsText) {
  EXPECT_EQ(read("null").kind, Kind::Null);
  EXPECT_EQ(read(" true ").text, "true");
  EXPECT_EQ(read("\tfalse\r\n").kind, Kind::Boolean);
  for (std::string_view number : {"0", "-0", "10", "0.50", "-1.5e3", "2E+10", "3e-2"}) {
    EXPECT_EQ(read(number).kind, Kind::Number);
    EXPECT_EQ(read(number).text, number);
  }
}

TEST(JsonReader, UnescapesStrings) {
  EXPECT_EQ(read(R"("")").text, "");
  EXPECT_EQ(read(R"("a\"\\\/\b\f\n\r\t")").text, "a\"\\/\b\f\n\r\t");
  EXPECT_EQ(read(R"("\u0041\u00e9\u20AC\ud83d\udE00")").text, "Aé€😀");
  EXPECT_EQ(read("\"caf\xC3\xA9\"").text, "café");
  EXPECT_EQ(read(R"("\u0000")").text, std::string(1, '\0'));
}

TEST(JsonReader, KeepsTheOrderOfMembersAndTakesTheLastOfTwo) {
  JsonValue value = read(R"({"b": 1, "a": [true, null, {"c": "d"}], "b": 2})");
  EXPECT_EQ(value.names, (std::vector<std::string>{"b", "a", "b"}));
  ASSERT_NE(value.find("a"), nullptr);
  EXPECT_EQ(value.find("a")->items.size(), 3u);
  EXPECT_EQ(value.find("a")->items[2].find("c")->text, "d");
  EXPECT_EQ(value.find("b")->text, "2");
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(value.find("a")->find("c"), nullptr);
}

TEST(JsonReader, ReadsEmptyLists) {
  EXPECT_EQ(read("{}").kind, Kind::Object);
  EXPECT_TRUE(read("[ ]").items.empty());
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  for (std::string_view text : {"",
                                " ",
                                "nul",
                                "True",
                                "NaN",
                                "{",
                                "[",
                                "{\"a\"}",
                                "{\"a\":}",
                                "{a:1}",
                                "{'a':1}",
                                "[1,]",
                                "{\"a\":1,}",
                                "[1 2]",
                                "1 2",
                                "{} {}",
                                "01",
                                "-",
                                "+1",
                                ".5",
                                "1.",
                                "1e",
                                "0x1",
                                "\"a",
                                "\"\\x\"",
                                "\"\\u12\"",
                                "\"\\\"",
                                "\"a\nb\"",
                                "// a\n1",
                                "[1]/**/",
                                "\"\\uD800\"",
                                "\"\\uDC00\"",
                                "\"\\uD800\\u0041\""}) {
    expect_refused(text);
  }
  expect_refused(std::string_view("1\0", 2));
  expect_refused("\"\xC0\xAF\"");
}

TEST(JsonReader, IsBoundedInDepthAndSize) {
  auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(read_json(nested(kMaxJsonDepth)).has_value());
  expect_refused(nested(kMaxJsonDepth + 1));
  expect_refused(std::string(kMaxJsonBytes, '['));
  EXPECT_TRUE(read_json('"' + std::string(kMaxJsonBytes - 2, 'a') + '"').has_value());
  expect_refused('"' + std::string(kMaxJsonBytes - 1, 'a') + '"');
}

}  // namespace
}  // namespace tintype

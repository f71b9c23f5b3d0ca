// SPDX-License-Identifier: Apache-2.0
#include "policy/yaml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

YamlReader field(const std::string& value) {
  auto reader = YamlReader::parse("x: " + value);
  EXPECT_TRUE(reader) << value;
  return *reader->child("x");
}

std::string fault_of(const std::string& text) {
  auto reader = YamlReader::parse(text);
  EXPECT_FALSE(reader) << text;
  return reader ? "" : reader.error().detail;
}

TEST(YamlReader, KnowsLinesAndPaths) {
  auto root = YamlReader::parse("# comment\na:\n  b:\n    - one\n    - c: 3\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->path(), "");
  auto b = *root->child("a")->child("b");
  EXPECT_EQ(b.path(), "a.b");
  EXPECT_EQ(b.line(), 3);
  ASSERT_EQ(b.items().size(), 2u);
  auto c = *b.items()[1].child("c");
  EXPECT_EQ(c.path(), "a.b[1].c");
  EXPECT_EQ(c.line(), 5);
  EXPECT_EQ(c.error("is wrong").detail, "line 5: a.b[1].c: is wrong");
  EXPECT_EQ(c.error("is wrong").code, ErrorCode::BadRequest);
  EXPECT_FALSE(root->child("absent"));
}

TEST(YamlReader, TellsKindsApart) {
  EXPECT_TRUE(field("{a: 1}").is_map());
  EXPECT_TRUE(field("[a]").is_list());
  EXPECT_TRUE(field("a").is_scalar());
  EXPECT_TRUE(field("").is_null());
  EXPECT_TRUE(field("~").is_null());
  EXPECT_TRUE(field("'~'").is_scalar());
  EXPECT_TRUE(YamlReader::parse("")->is_null());
}

TEST(YamlReader, ReadsTexts) {
  EXPECT_EQ(*field("'w=400&h=400'").as_text(), "w=400&h=400");
  EXPECT_EQ(*field("007").as_text(), "007");
  EXPECT_EQ(*field("''").as_text(), "");
  EXPECT_FALSE(field("").as_text());
  EXPECT_FALSE(field("[a]").as_text());
}

TEST(YamlReader, ReadsBooleans) {
  EXPECT_TRUE(*field("true").as_bool());
  EXPECT_FALSE(*field("false").as_bool());
  for (const char* no : {"yes", "on", "1", "True", "''"}) {
    auto read = field(no).as_bool();
    ASSERT_FALSE(read) << no;
    EXPECT_THAT(read.error().detail, HasSubstr("expected true or false"));
  }
}

TEST(YamlReader, ReadsWholeNumbersWithinTheirRange) {
  EXPECT_EQ(*field("1").as_int(1, 9), 1);
  EXPECT_EQ(*field("9").as_int(1, 9), 9);
  for (const char* no :
       {"0", "10", "-1", "1.5", "0x5", "5px", "99999999999999999999", "''", "[5]"}) {
    EXPECT_FALSE(field(no).as_int(1, 9)) << no;
  }
  EXPECT_EQ(field("10").as_int(1, 9).error().detail,
            "line 1: x: '10' is not allowed; expected a whole number from 1 to 9");
}

TEST(YamlReader, ReadsDurations) {
  EXPECT_EQ(*field("10s").as_duration_ms(), 10'000);
  EXPECT_EQ(*field("500ms").as_duration_ms(), 500);
  EXPECT_EQ(*field("5m").as_duration_ms(), 300'000);
  EXPECT_EQ(*field("2h").as_duration_ms(), 7'200'000);
  EXPECT_EQ(*field("30d").as_duration_ms(), 30LL * 86'400'000);
  EXPECT_EQ(*field("7").as_duration_ms(), 7'000);
  EXPECT_EQ(*field("1.5 s").as_duration_ms(), 1'500);
  EXPECT_EQ(*field("0").as_duration_ms(), 0);
  EXPECT_EQ(*field("3650d").as_duration_ms(), 3650LL * 86'400'000);
  for (const char* no :
       {"-1s", "1w", "s", "1s2", "1e3", "3651d", "99999999999999999999d", "''", "10 0s", "٣s"}) {
    auto read = field(no).as_duration_ms();
    ASSERT_FALSE(read) << no << " is " << *read;
    EXPECT_THAT(read.error().detail, HasSubstr("expected a duration"));
  }
}

TEST(YamlReader, ReadsSizes) {
  EXPECT_EQ(*field("512MB").as_size_bytes(), 512'000'000);
  EXPECT_EQ(*field("20 GB").as_size_bytes(), 20'000'000'000);
  EXPECT_EQ(*field("64KiB").as_size_bytes(), 65'536);
  EXPECT_EQ(*field("1tib").as_size_bytes(), 1LL << 40);
  EXPECT_EQ(*field("12345").as_size_bytes(), 12'345);
  EXPECT_EQ(*field("7B").as_size_bytes(), 7);
  for (const char* no : {"-1", "1PB", "MB", "1,5MB", "1001TB", "''", "many"}) {
    auto read = field(no).as_size_bytes();
    ASSERT_FALSE(read) << no << " is " << *read;
    EXPECT_THAT(read.error().detail, HasSubstr("expected a size"));
  }
}

TEST(YamlReader, RefusesUnknownFieldsByNameAndLine) {
  auto root = YamlReader::parse("good: 1\nbda: 2\n");
  ASSERT_TRUE(root->refuse_others({"good", "bda"}));
  auto refused = root->refuse_others({"good", "bad"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "line 2: bda: is not a known field; known here: good, bad");
  EXPECT_FALSE(field("text").refuse_others({"a"}));
  EXPECT_TRUE(field("").refuse_others({"a"}));
}

TEST(YamlReader, RefusesWhatIsNotOnePlainDocument) {
  EXPECT_THAT(fault_of("a: 1\nb: [1, 2\n"), StartsWith("line "));
  EXPECT_THAT(fault_of("a: 1\n\tb: 2\n"), StartsWith("line 2: "));
  EXPECT_EQ(fault_of("a: 1\nb: 2\na: 3\n"), "line 3: 'a' stands here twice");
  EXPECT_THAT(fault_of("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
  EXPECT_THAT(fault_of("[a, b]: 1\n"), HasSubstr("field name"));
  EXPECT_THAT(fault_of("a: *nowhere\n"), StartsWith("line 1: "));
}

TEST(YamlReader, SurvivesPoison) {
  EXPECT_THAT(fault_of("a: &a [*a]\n"), StartsWith("line 1: "));
  EXPECT_THAT(fault_of(std::string(100'000, '[')), StartsWith("line 1: "));
  EXPECT_THAT(fault_of("a: " + std::string(40, '[') + std::string(40, ']')),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(fault_of(std::string(5'000'000, '#')), HasSubstr("larger than 4 MB"));
  // Ten to the ninth values in ten lines.
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    std::string line = "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) line += ", " + before;
    bomb += line + "]\n";
  }
  EXPECT_THAT(fault_of(bomb), HasSubstr("too many values"));
}

TEST(YamlReader, UnderstandsAliases) {
  auto root = YamlReader::parse("a: &card {w: 400}\nb: *card\n");
  ASSERT_TRUE(root);
  auto w = *root->child("b")->child("w");
  EXPECT_EQ(*w.as_int(1, 1000), 400);
  EXPECT_EQ(w.path(), "b.w");
}

}  // namespace
}  // namespace tintype

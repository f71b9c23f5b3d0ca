// SPDX-License-Identifier: Apache-2.0
#include "store/s3_xml.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

TEST(S3Xml, ReadsAListing) {
  auto root = parse_xml(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <IsTruncated>true</IsTruncated><Prefix/>
  <Contents><Key>a&amp;b &lt;&#233;&#xe9;&gt;&quot;&apos;</Key><Size>1</Size></Contents>
  <Contents><Key>c</Key ></Contents>
</ListBucketResult>
)");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "ListBucketResult");
  EXPECT_EQ(root->text_of("IsTruncated"), "true");
  EXPECT_EQ(root->text_of("Prefix"), "");
  EXPECT_EQ(root->text_of("Absent"), "");
  EXPECT_EQ(root->child("Absent"), nullptr);
  EXPECT_EQ(root->child("Contents")->text_of("Key"), "a&b <éé>\"'");
  ASSERT_EQ(root->children.size(), 4u);
  EXPECT_EQ(root->children[3].text_of("Key"), "c");
  EXPECT_EQ(root->text, "");
}

TEST(S3Xml, KeepsTheSpacesOfATextAndEmptyOnes) {
  EXPECT_EQ(parse_xml("<a> x\n </a>")->text, " x\n ");
  EXPECT_EQ(parse_xml("<a></a>")->text, "");
  EXPECT_EQ(parse_xml("<a>&#x1F600;</a>")->text, "\xF0\x9F\x98\x80");
}

class NoDocument : public testing::TestWithParam<const char*> {};
TEST_P(NoDocument, IsRefused) {
  EXPECT_FALSE(parse_xml(GetParam())) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(
    S3Xml, NoDocument,
    testing::Values("", " ", "text", "<a>", "<a", "<", "</a>", "<a></b>", "<a><b></a></b>",
                    "<a/><b/>", "<a>x</a>y", "<a b></a>", "<a b=c/>", "<a b='c/>", "<a b='<'/>",
                    "<a>&nbsp;</a>", "<a>&</a>", "<a>&amp</a>", "<a>&#0;</a>", "<a>&#xD800;</a>",
                    "<a>&#x110000;</a>", "<a>&#12345678;</a>", "<a>&#x;</a>", "<a>&#1f;</a>",
                    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a><!-- x --></a>",
                    "<a><![CDATA[x]]></a>", "<?xml version='1.0'", "<a><?pi?></a>"));

TEST(S3Xml, IsBoundedInDepthAndNumber) {
  std::string deep;
  for (int i = 0; i < 16; ++i) deep = "<a>" + deep + "</a>";
  EXPECT_TRUE(parse_xml(deep));
  EXPECT_FALSE(parse_xml("<a>" + deep + "</a>"));
  std::string many = "<a>";
  for (int i = 0; i < 99'999; ++i) many += "<b/>";
  EXPECT_TRUE(parse_xml(many + "</a>"));
  EXPECT_FALSE(parse_xml(many + "<b/></a>"));
}

TEST(S3Xml, EscapesSoThatItReadsTheSame) {
  const std::string text = "p/a&b <c> \"d\" 'e' ]]> é.jpg";
  EXPECT_TRUE(is_xml_text(text));
  EXPECT_EQ(parse_xml("<k>" + escape_xml(text) + "</k>")->text, text);
  for (const char* bad : {"\x01", "a\n", "\t", "\x7f", "\xff", "\xef\xbf\xbf"}) {
    EXPECT_FALSE(is_xml_text(bad));
  }
}

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "transform/option_docs.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace tintype {
namespace {

constexpr const char* kPage = TINTYPE_ROOT "/docs/url-reference.md";
constexpr std::string_view kBegin = "<!-- options: begin -->\n", kEnd = "<!-- options: end -->\n";

// With TINTYPE_WRITE_DOCS=1 the page is rewritten first: how to bring it up to date after a change
// of the option table.
TEST(OptionDocs, ThePageHoldsTheGeneratedTable) {
  std::ifstream in(kPage, std::ios::binary);
  std::string page((std::istreambuf_iterator<char>(in)), {});
  std::size_t begin = page.find(kBegin), end = page.find(kEnd);
  ASSERT_NE(begin, std::string::npos) << kPage << " has lost its markers";
  ASSERT_NE(end, std::string::npos) << kPage << " has lost its markers";
  begin += kBegin.size();
  if (std::getenv("TINTYPE_WRITE_DOCS") != nullptr) {
    page.replace(begin, end - begin, options_as_markdown());
    end = page.find(kEnd);
    std::ofstream(kPage, std::ios::binary) << page;
  }
  EXPECT_EQ(page.substr(begin, end - begin), options_as_markdown())
      << "bring it up to date: TINTYPE_WRITE_DOCS=1 transform_test --gtest_filter=OptionDocs.*";
}

}  // namespace
}  // namespace tintype

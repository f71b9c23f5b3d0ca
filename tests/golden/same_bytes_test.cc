// SPDX-License-Identifier: Apache-2.0
// One path, one picture: what a canonical path promises, held against rendered bytes. The spellings
// of one request give one path and one file; requests of different paths give different files.
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "dialect/dialect.h"
#include "engine/render.h"
#include "image/sniff.h"
#include "plan/plan.h"
#include "transform/canonical_path.h"
#include "transform/settle.h"

namespace tintype {
namespace {

constexpr Format kOrder[] = {Format::Avif, Format::Webp};

Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Made {
  std::string path;
  std::string bytes_hash;
};

// The whole way from a URL to a file, for a client that accepts WebP.
Made make(const std::string& target, const Bytes& source) {
  const Ask ask = parse_target(target).value();
  const auto settled = settle(ask, {.accept = "image/webp"}, kOrder);
  EXPECT_TRUE(settled) << target;
  const auto planned = plan(*settled, sniff(source).value(), {});
  EXPECT_TRUE(planned) << target << ": " << planned.error().message;
  const auto rendered = render(*planned, source, {});
  EXPECT_TRUE(rendered) << target << ": " << rendered.error().message;
  return {canonical_path(ask, *settled), hex(sha256(rendered->bytes))};
}

// Each line is one picture in several spellings.
const std::vector<std::vector<std::string>> kPictures = {
    {"w=50", "width=50&fit=inside", "W=050&g=n&up=0", "w=25&dpr=2", "w=50&utm=1"},
    {"w=51", "w=51&q=80"},
    {"h=60", "height=60&small=pad"},
    {"w=50&h=50", "w=50&h=50&fit=inside"},
    {"w=50&h=50&fit=cover", "ar=1:1&w=50", "h=50&aspect=2-2", "fit=cover&w=50&h=50&g=center"},
    {"w=50&h=50&fit=cover&g=n", "w=50&ar=1&g=fp-0.5-0", "w=50&ar=1&gravity=top"},
    {"w=50&h=50&fit=cover&g=s"},
    {"w=50&h=50&fit=cover&g=fp-0.5-0.6", "w=50&h=50&fit=cover&g=0.50,0.600"},
    {"w=50&h=50&fit=pad", "w=50&h=50&fit=pad&bg=transparent"},
    {"w=50&h=50&fit=pad&bg=f00", "w=50&h=50&fit=pad&background=red"},
    {"w=50&h=50&fit=pad&bg=f00&g=e"},
    {"w=50&h=50&fit=stretch"},
    {"w=55&h=55&fit=outside"},
    {"w=50&h=50&fit=cut", "w=50&h=50&fit=cut&up=1"},
    {"w=50&q=40", "w=50&quality=040"},
    {"w=50&q=41"},
    {"w=50&f=jpg", "w=50&fm=JPEG&q=80"},
    {"w=50&f=png", "w=50&f=png&q=7"},
    {"w=50&rot=90", "w=50&rotate=90", "w=50&rot=270&flip=hv", "w=50&rot=-90&flip=hv"},
    {"w=50&flip=h"},
    {"w=50&flip=v", "w=50&flip=h&rot=180"},
    {"w=50&rot=90&flip=h"},
    {"w=50&blur=1", "w=50&blur=1.00", "w=50&blur=1.004"},
    {"w=50&blur=1.5"},
    {"w=50&sharp=1", "w=50&sharpen=1"},
    {"w=50&crop=10,10,80,80", "w=50&crop=10-10-80-80"},
    {"w=50&crop=10p,10p,80p,80p", "w=50&crop=10p-10p-80p-80p"},
    {"w=3000&h=10&fit=cover"},
    {"w=3000&h=10&fit=cover&small=cut"},
    {"w=3000&h=10&fit=cover&small=pad"},
};

TEST(OnePath, IsOnePicture) {
  const Bytes source = read_bytes(TINTYPE_ROOT "/samples/jeans.jpg");
  ASSERT_FALSE(source.empty());
  ASSERT_TRUE(prepare_engine());
  std::map<std::string, std::string> hash_of_path, path_of_hash;
  for (const auto& spellings : kPictures) {
    const Made first = make("/shop/jeans.jpg?" + spellings.front(), source);
    for (const std::string& spelling : spellings) {
      SCOPED_TRACE(spelling);
      const Made made = make("/shop/jeans.jpg?" + spelling, source);
      EXPECT_EQ(made.path, first.path);
      EXPECT_EQ(made.bytes_hash, first.bytes_hash);
      const Made canonical = make(made.path, source);
      EXPECT_EQ(canonical.path, first.path);
      EXPECT_EQ(canonical.bytes_hash, first.bytes_hash);
    }
    EXPECT_TRUE(hash_of_path.emplace(first.path, first.bytes_hash).second)
        << first.path << " is in the list twice";
    const auto [other, is_new] = path_of_hash.emplace(first.bytes_hash, first.path);
    EXPECT_TRUE(is_new) << first.path << " and " << other->second << " are the same file";
  }
}

}  // namespace
}  // namespace tintype

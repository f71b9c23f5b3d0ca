// SPDX-License-Identifier: Apache-2.0
// Golden pictures: renders every line of cases.txt and compares the pixels with
// expected/<name>.png, by size, largest and mean difference. TINTYPE_ACCEPT_GOLDEN=1 rewrites the
// references instead.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "engine/pictures_testing.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

namespace fs = std::filesystem;
using namespace testing;

const fs::path kRoot = TINTYPE_ROOT;
const fs::path kHere = kRoot / "tests" / "golden";

struct GoldenCase {
  std::string name, source, options;
  double most = 0, mean = 0;
};

std::string word(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

std::vector<GoldenCase> read_cases() {
  std::vector<GoldenCase> cases;
  std::ifstream file(kHere / "cases.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto parts = split(line, '|');
    if (parts.size() != 5) {
      ADD_FAILURE() << "cases.txt: not five parts: " << line;
      continue;
    }
    cases.push_back({word(parts[0]), word(parts[1]), word(parts[2]),
                     parse_decimal(word(parts[3])).value_or(0),
                     parse_decimal(word(parts[4])).value_or(0)});
  }
  return cases;
}

Bytes read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Transformation parse_options(const std::string& options) {
  Transformation t;
  for (std::string_view option : split(options, '&')) {
    const auto equals = option.find('=');
    const OptionSpec* spec = find_option(option.substr(0, equals));
    if (!spec) {
      ADD_FAILURE() << "no option " << option;
      continue;
    }
    const auto set = set_option(t, spec->id, option.substr(equals + 1));
    EXPECT_TRUE(set) << set.error().message;
  }
  return t;
}

struct Difference {
  double most = 0, mean = 0;
};

// Of premultiplied channels: the colour of a clear pixel is nobody's business.
Difference compare(const Pixels& a, const Pixels& b) {
  Difference difference;
  const bool has_alpha = a.bands == 2 || a.bands == 4;
  double sum = 0;
  for (std::size_t pixel = 0; pixel < a.data.size(); pixel += a.bands) {
    const int last = a.bands - 1;
    const double alpha_a = has_alpha ? a.data[pixel + last] / 255.0 : 1;
    const double alpha_b = has_alpha ? b.data[pixel + last] / 255.0 : 1;
    for (int band = 0; band < a.bands; ++band) {
      const bool is_alpha = has_alpha && band == last;
      const double level_a = a.data[pixel + band] * (is_alpha ? 1 : alpha_a);
      const double level_b = b.data[pixel + band] * (is_alpha ? 1 : alpha_b);
      difference.most = std::max(difference.most, std::abs(level_a - level_b));
      sum += std::abs(level_a - level_b);
    }
  }
  difference.mean = sum / static_cast<double>(a.data.size());
  return difference;
}

class Prepared : public ::testing::Environment {
 public:
  void SetUp() override { ASSERT_TRUE(prepare_engine()); }
};
[[maybe_unused]] const auto* const environment = ::testing::AddGlobalTestEnvironment(new Prepared);

class Golden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, LooksAsExpected) {
  const GoldenCase& c = GetParam();
  const Bytes source = read_bytes(kRoot / "samples" / c.source);
  ASSERT_FALSE(source.empty()) << c.source;
  const Pixels found = rendered(parse_options(c.options), source);
  const fs::path reference = kHere / "expected" / (c.name + ".png");
  if (std::getenv("TINTYPE_ACCEPT_GOLDEN")) {
    const Bytes png = stored_as(Format::Png, found);
    std::ofstream(reference, std::ios::binary) << text_of(png);
    return;
  }
  const Bytes expected_bytes = read_bytes(reference);
  ASSERT_FALSE(expected_bytes.empty()) << reference << " is missing";
  const Pixels expected = decoded(expected_bytes);
  ASSERT_EQ(found.size, expected.size);
  ASSERT_EQ(found.bands, expected.bands);
  const Difference difference = compare(found, expected);
  EXPECT_LE(difference.most, c.most);
  EXPECT_LE(difference.mean, c.mean);
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, ::testing::ValuesIn(read_cases()),
                         [](const auto& param_info) {
                           std::string name = param_info.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(GoldenFiles, StaySmallAndAreAllUsed) {
  std::uintmax_t total_bytes = 0;
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(kHere / "expected")) {
    total_bytes += entry.file_size();
    ++files;
  }
  EXPECT_LT(total_bytes, 1'500'000u);
  EXPECT_EQ(files, read_cases().size());
}

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// Runs spec/vectors/*.txt: the lines that the server and the edge function must answer alike. The
// grammar of a vector file stands at the head of spec/vectors/native.txt; presets and limits, which
// are the policy's, are tried in policy/.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "transform/canonical_path.h"
#include "transform/settle.h"

namespace tintype {
namespace {

struct Vector {
  std::string target, accept, expected;
  std::vector<Format> order;
};

std::vector<Format> parse_order(std::string_view text) {
  std::vector<Format> order;
  for (std::string_view name : split(text, ',')) {
    auto format = format_named(trim(name));
    EXPECT_TRUE(format.has_value()) << name;
    if (format) order.push_back(*format);
  }
  return order;
}

std::optional<Vector> parse_vector(std::string_view line) {
  std::size_t arrow = line.rfind(" -> ");
  if (arrow == std::string_view::npos) return std::nullopt;
  Vector vector;
  vector.expected = trim(line.substr(arrow + 4));
  std::string_view request = line.substr(0, arrow);
  std::size_t bar = request.find(" | ");
  vector.target = trim(request.substr(0, bar));
  if (bar != std::string_view::npos) vector.accept = trim(request.substr(bar + 3));
  return vector;
}

std::string answer(const Vector& vector) {
  auto describe = [](const Error& error) {
    std::string text = "error " + std::string(name_of(error.code));
    return error.option.empty() ? text : text + " " + error.option;
  };
  auto ask = parse_target(vector.target);
  if (!ask) return describe(ask.error());
  const HintTexts headers = HintTexts::parse(vector.accept);
  auto settled = settle(*ask, headers.hints(), vector.order);
  if (!settled) return describe(settled.error());
  return canonical_path(*ask, *settled);
}

// A path in a vector must itself be answered with itself, whatever the request accepts.
void expect_canonical(const std::string& path) {
  EXPECT_EQ(answer({.target = path, .accept = "image/avif", .order = {Format::Avif}}), path);
}

int run_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in.good()) << file;
  std::vector<Format> order{Format::Avif, Format::Webp};
  std::string line;
  int number = 0, vectors = 0;
  while (std::getline(in, line)) {
    ++number;
    SCOPED_TRACE(file.filename().string() + ":" + std::to_string(number) + ": " + line);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("order ")) {
      order = parse_order(line.substr(6));
      continue;
    }
    auto vector = parse_vector(line);
    EXPECT_TRUE(vector.has_value()) << "neither comment nor vector";
    if (!vector) continue;
    vector->order = order;
    EXPECT_EQ(answer(*vector), vector->expected);
    if (vector->expected.starts_with('/')) expect_canonical(vector->expected);
    ++vectors;
  }
  return vectors;
}

TEST(Vectors, NativeAnswersAsTheSpecificationSays) {
  // The count keeps a truncated file from passing.
  EXPECT_GE(run_file(TINTYPE_ROOT "/spec/vectors/native.txt"), 120);
}

}  // namespace
}  // namespace tintype

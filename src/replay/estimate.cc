// SPDX-License-Identifier: Apache-2.0
#include "replay/estimate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tintype {
namespace {

// Ertl's sigma and tau, equations 13 and 14: what registers that are still zero, and those that
// cannot grow, contribute.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1, z = x, before = -1;
  while (z != before) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before = -1;
  while (z != before) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

constexpr std::size_t kKeptBytes = 200;

}  // namespace

DistinctCounter::DistinctCounter(int bits)
    : bits_(bits), registers_(std::size_t{1} << static_cast<unsigned>(bits)) {}

// The upper bits choose the register, the zeros that lead the rest are its value.
void DistinctCounter::add(std::uint64_t hash) {
  auto bits = static_cast<unsigned>(bits_);
  std::uint64_t rest = hash << bits;
  int zeros = std::min(std::countl_zero(rest), 64 - bits_);
  std::uint8_t& place = registers_[hash >> (64 - bits)];
  place = std::max(place, static_cast<std::uint8_t>(zeros + 1));
}

double DistinctCounter::estimate() const {
  const int highest = 64 - bits_;
  std::vector<double> with_value(static_cast<std::size_t>(highest) + 2);
  for (std::uint8_t value : registers_) ++with_value[value];
  auto m = static_cast<double>(registers_.size());
  double z = m * tau(1 - with_value[static_cast<std::size_t>(highest) + 1] / m);
  for (int k = highest; k >= 1; --k) z = 0.5 * (z + with_value[static_cast<std::size_t>(k)]);
  z += m * sigma(with_value[0] / m);
  return m * m / (2 * std::log(2.0) * z);
}

void DistinctCounter::clear() {
  std::fill(registers_.begin(), registers_.end(), std::uint8_t{0});
}

void TopCounter::add(std::string_view name, std::string_view example) {
  ++total_;
  std::string kept(name.substr(0, kKeptBytes));
  if (auto found = places_.find(kept); found != places_.end()) {
    auto handle = rows_.extract(found->second);
    handle.key() = ++handle.mapped().count;
    found->second = rows_.insert(std::move(handle));
    return;
  }
  Row row{.name = kept, .example = std::string(example.substr(0, kKeptBytes)), .count = 1};
  if (places_.size() >= room_) {
    auto least = rows_.begin();
    row.excess = least->second.count;
    row.count = row.excess + 1;
    places_.erase(least->second.name);
    rows_.erase(least);
  }
  std::uint64_t count = row.count;
  places_[kept] = rows_.emplace(count, std::move(row));
}

std::vector<TopCounter::Row> TopCounter::top(std::size_t limit) const {
  std::vector<Row> rows;
  for (const auto& [count, row] : rows_) rows.push_back(row);
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  rows.resize(std::min(rows.size(), limit));
  return rows;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "replay/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace tintype {
namespace {

struct Size {
  int width_px, height_px, quality_pct;
};
// Widths and shapes of a shop: tiles, thumbnails, the product's page, its zoom.
constexpr std::array<Size, 8> kCommon = {{{400, 533, 75},
                                          {800, 1067, 75},
                                          {120, 160, 70},
                                          {600, 800, 75},
                                          {1200, 1600, 82},
                                          {320, 427, 70},
                                          {240, 320, 70},
                                          {1600, 2133, 82}}};
// Their shares; they add up to 1.
constexpr std::array<double, 8> kCommonShares = {0.25, 0.2,   0.15,   0.125,
                                                 0.1,  0.075, 0.0625, 0.0375};
// Of the rare sizes a product is shown in, most requests are for the first.
constexpr double kRareGeometry = 0.5;
constexpr int kRareSizes = 30;

constexpr std::array<std::string_view, 3> kAccepts = {
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "image/*,*/*;q=0.8"};
constexpr double kAvifShare = 0.6, kWebpShare = 0.3;

// SplitMix64 (Steele, Lea, Flood 2014): a good 64-bit hash of a number.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double unit(std::uint64_t hash) {
  return (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;
}

// 8 common sizes, then 30 rare ones: odd widths of mails, feeds and old templates.
Size size_of(int size) {
  if (size < static_cast<int>(kCommon.size())) return kCommon[static_cast<std::size_t>(size)];
  int width_px = 90 + (size - static_cast<int>(kCommon.size())) * 47;
  return {width_px, width_px * 4 / 3, 75};
}

// How many successes before the first failure, at most limit - 1; the rest falls on the last.
int draw_geometric(double u, double stop, int limit) {
  int n = 0;
  double left = 1 - stop;
  while (n + 1 < limit && u < left) {
    ++n;
    left *= 1 - stop;
  }
  return n;
}

void append_number(std::string& out, std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out += text;
}

// A multiplier that visits every slot, so that new products take the places of popular and
// unpopular ones alike.
std::uint64_t stride_for(std::uint64_t products) {
  std::uint64_t stride = std::max<std::uint64_t>(products * 618 / 1000, 1);
  while (std::gcd(stride, products) != 1) ++stride;
  return stride % products == 0 ? 1 : stride % products;
}

std::uint64_t inverse_of(std::uint64_t stride, std::uint64_t products) {
  std::int64_t a = static_cast<std::int64_t>(stride), b = static_cast<std::int64_t>(products);
  std::int64_t x = 1, y = 0;
  while (b != 0) {
    std::int64_t quotient = a / b;
    a = std::exchange(b, a % b);
    x = std::exchange(y, x - quotient * y);
  }
  auto modulus = static_cast<std::int64_t>(products);
  return static_cast<std::uint64_t>((x % modulus + modulus) % modulus);
}

std::uint64_t product_count(const SyntheticShape& shape) {
  if (shape.products > 0) return shape.products;
  return std::max<std::uint64_t>(shape.requests / kRequestsPerProduct, 10);
}

}  // namespace

SyntheticTraffic::SyntheticTraffic(const SyntheticShape& shape)
    : shape_(shape), random_(shape.seed), popularity_(product_count(shape), shape.zipf) {
  CHECK(shape.requests >= 1 && shape.pictures >= 1 && shape.regions >= 1);
  shape_.products = product_count(shape);
  stride_ = stride_for(shape_.products);
  inverse_stride_ = inverse_of(stride_, shape_.products);
  double sum = 0;
  for (int rank = 1; rank <= shape.regions; ++rank) regions_.push_back(sum += std::pow(rank, -0.8));
  for (double& share : regions_) share /= sum;
}

// Arrival number n takes slot n * stride modulo the products, as its generation n / products + 1.
SyntheticTraffic::Product SyntheticTraffic::arrival(std::uint64_t number) const {
  std::uint64_t turn = number % shape_.products;
  return {turn * stride_ % shape_.products, number / shape_.products + 1};
}

SyntheticTraffic::Product SyntheticTraffic::draw_product(double day) {
  auto products = static_cast<double>(shape_.products);
  double arrivals_per_day = shape_.churn_per_day * products;
  auto arrived = static_cast<std::uint64_t>(day * arrivals_per_day);
  if (arrived > 0 && uniform() < shape_.new_share) {
    // An age with density 1 / age, from an hour to the oldest arrival's.
    constexpr double kYoungest_days = 1.0 / 24;
    double oldest_days = std::max(day, 2 * kYoungest_days);
    double age_days = kYoungest_days * std::pow(oldest_days / kYoungest_days, uniform());
    auto number = static_cast<std::uint64_t>(std::max(day - age_days, 0.0) * arrivals_per_day);
    return arrival(std::min(number, arrived - 1));
  }
  std::uint64_t slot = popularity_.draw([this] { return uniform(); }) - 1;
  std::uint64_t turn = slot * inverse_stride_ % shape_.products;
  std::uint64_t generation =
      arrived > turn ? (arrived - turn + shape_.products - 1) / shape_.products : 0;
  return {slot, generation};
}

int SyntheticTraffic::draw_size(const Product& product) {
  if (shape_.rare_sizes > 0 && uniform() < shape_.rare_share) {
    int nth = draw_geometric(uniform(), kRareGeometry, shape_.rare_sizes);
    std::uint64_t hash = mix(product.slot * 64 + static_cast<std::uint64_t>(nth));
    return static_cast<int>(kCommon.size() + hash % kRareSizes);
  }
  double u = uniform();
  int size = 0;
  while (size + 1 < static_cast<int>(kCommon.size()) &&
         u >= kCommonShares[static_cast<std::size_t>(size)]) {
    u -= kCommonShares[static_cast<std::size_t>(size++)];
  }
  return size;
}

bool SyntheticTraffic::next(SyntheticRequest& request) {
  if (made_ == shape_.requests) return false;
  double done = static_cast<double>(made_) / static_cast<double>(shape_.requests);
  double second = done * static_cast<double>(shape_.span.count());
  Product product = draw_product(second / 86'400);
  SyntheticVariant variant{.product = product.generation * 10'000'000 + product.slot};
  variant.picture = draw_geometric(uniform(), shape_.first_picture, shape_.pictures);
  variant.size = draw_size(product);
  double browser = uniform();
  variant.format = browser < kAvifShare ? 0 : browser < kAvifShare + kWebpShare ? 1 : 2;
  spell(variant, draw_geometric(uniform(), shape_.spelling_geometry, kSyntheticSpellings),
        request.target);
  if (uniform() < shape_.noise_share) {
    request.target += "&_=";
    append_number(request.target, random_() % 1'000'000'000'000, 12);
  }
  request.accept = kAccepts[static_cast<std::size_t>(variant.format)];
  request.size_bytes = synthetic_size_bytes(variant);
  auto region = std::upper_bound(regions_.begin(), regions_.end() - 1, uniform());
  request.region = static_cast<std::uint32_t>(region - regions_.begin());
  request.unix_seconds = shape_.unix_start_seconds + static_cast<std::int64_t>(second);
  ++made_;
  return true;
}

void spell(const SyntheticVariant& variant, int spelling, std::string& target) {
  Size size = size_of(variant.size);
  std::string w = std::to_string(size.width_px), h = std::to_string(size.height_px);
  std::string q = std::to_string(size.quality_pct);
  target = "/p/";
  append_number(target, variant.product, 10);
  target.append("/").append(std::to_string(variant.picture)).append(".jpg?");
  switch (spelling) {
    case 0:
      target.append("w=").append(w).append("&h=").append(h).append("&fit=cover&q=").append(q);
      return;
    case 1:
      target.append("fit=cover&h=").append(h).append("&q=").append(q).append("&w=").append(w);
      return;
    case 2:
      target.append("width=").append(w).append("&height=").append(h);
      target.append("&fit=cover&quality=").append(q);
      return;
    case 3:
      target.append("w=").append(w).append("&h=").append(h).append("&fit=cover&q=").append(q);
      target.append("&f=auto&dpr=1");
      return;
    case 4:
      target.append("W=").append(w).append("&H=").append(h).append("&FIT=Cover&Q=").append(q);
      return;
    default:
      target.append("w=0").append(w).append("&h=").append(h).append("&fit=cover&q=").append(q);
      target.append("&utm_source=app");
      return;
  }
}

std::uint32_t synthetic_size_bytes(const SyntheticVariant& variant) {
  constexpr double kMedianBytes = 25'000, kMaxBytes = 2e6, kMinBytes = 400;
  // A variant's bytes grow a little slower than its area: by judgement.
  constexpr double kBytesByWidth = 1.5;
  std::uint64_t name = mix(variant.product * 8 + static_cast<std::uint64_t>(variant.picture));
  name = mix(name ^ static_cast<std::uint64_t>(variant.size * 4 + variant.format));
  // Box and Muller's transform of two uniform numbers.
  double normal =
      std::sqrt(-2 * std::log(unit(name))) * std::cos(2 * std::numbers::pi * unit(mix(name)));
  double width = size_of(variant.size).width_px / 600.0;
  double bytes = kMedianBytes * std::pow(width, kBytesByWidth) * std::exp(normal);
  return static_cast<std::uint32_t>(std::clamp(bytes, kMinBytes, kMaxBytes));
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// SyntheticTraffic: requests of a large shop, made up by a published model
// (docs/internals/figures.md F-replay): products of Zipf popularity that come and go, a few
// pictures each, common and rare sizes, three kinds of browsers, and one picture's address spelled
// in many ways, as apps, shops, mails and caches' enemies do. The same seed gives the same requests
// on every machine. Nothing is kept per product: any number of requests takes the same memory. One
// thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "replay/zipf.h"

namespace tintype {

struct SyntheticShape {
  std::uint64_t requests = 10'000'000, seed = 1;
  // 0: one product for 20,000 requests, which is the shop of the model (2 billion requests a month,
  // 100,000 products) drawn to a smaller scale.
  std::uint64_t products = 0;
  double zipf = 0.9;               // of the popularity of products
  double churn_per_day = 0.015;    // of the products are replaced by new ones
  double new_share = 0.05;         // of the requests go to new products, by age^-1
  double first_picture = 0.6;      // chance that a viewer stops at each picture
  int pictures = 5;                // a product
  int rare_sizes = 3;              // of 30, that one product is shown in
  double rare_share = 0.2;         // of the requests
  double spelling_geometry = 0.6;  // each of 6 spellings takes this share of what is left
  double noise_share = 0.04;       // of the requests carry a parameter that never comes again
  int regions = 13;                // of viewers, of sizes like rank^-0.8
  Seconds span{30 * 86'400};       // over which the requests are spread
  std::int64_t unix_start_seconds = 1'790'000'000;
};

struct SyntheticRequest {
  std::string target;
  std::string_view accept;
  std::uint32_t region = 0, size_bytes = 0;
  std::int64_t unix_seconds = 0;
};

inline constexpr std::uint64_t kRequestsPerProduct = 20'000;
inline constexpr int kSyntheticSpellings = 6;

class SyntheticTraffic {
 public:
  // Requires: requests, pictures and regions at least 1, shares within 0 to 1.
  explicit SyntheticTraffic(const SyntheticShape& shape);
  // False when all requests have been made.
  bool next(SyntheticRequest& request);
  const SyntheticShape& shape() const { return shape_; }

 private:
  struct Product {
    std::uint64_t slot = 0, generation = 0;
  };
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  Product draw_product(double day);
  Product arrival(std::uint64_t number) const;
  int draw_size(const Product& product);

  SyntheticShape shape_;
  std::mt19937_64 random_;
  Zipf popularity_;
  std::vector<double> regions_;  // cumulated shares
  std::uint64_t made_ = 0, stride_ = 1, inverse_stride_ = 1;
};

// A picture of a product in a size, for a browser's format (0: AVIF, 1: WebP, 2: JPEG).
struct SyntheticVariant {
  std::uint64_t product = 0;
  int picture = 0, size = 0, format = 0;
};
// "/p/0000004711/2.jpg?w=800&…" in one of the six spellings; all six ask for the same bytes.
void spell(const SyntheticVariant& variant, int spelling, std::string& target);
// Log-normal, median 25 kB at 600 pixels of width and sigma 1, cut at 2 MB; always the same for the
// same variant.
std::uint32_t synthetic_size_bytes(const SyntheticVariant& variant);

}  // namespace tintype

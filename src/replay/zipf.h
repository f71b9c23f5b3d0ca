// SPDX-License-Identifier: Apache-2.0
// Zipf: ranks 1 to n with probability proportional to rank^-alpha, drawn without a table, by
// rejection-inversion (Hörmann and Derflinger 1996, "Rejection-inversion to generate variates from
// monotone discrete distributions"). A draw takes 1.1 uniform numbers on average, whatever n is.
// Immutable; the random numbers are the caller's.
#pragma once

#include <cmath>
#include <cstdint>

namespace tintype {

class Zipf {
 public:
  // Requires: count >= 1, alpha > 0.
  Zipf(std::uint64_t count, double alpha)
      : count_(static_cast<double>(count)),
        alpha_(alpha),
        first_(integral(1.5) - 1),
        last_(integral(count_ + 0.5)),
        shortcut_(2 - inverse(integral(2.5) - density(2))) {}

  // `uniform()` returns a double in [0, 1).
  template <class Uniform>
  std::uint64_t draw(Uniform&& uniform) const {
    while (true) {
      double u = last_ + uniform() * (first_ - last_);
      double x = inverse(u);
      double rank = std::fmin(std::fmax(std::floor(x + 0.5), 1), count_);
      if (rank - x <= shortcut_ || u >= integral(rank + 0.5) - density(rank)) {
        return static_cast<std::uint64_t>(rank);
      }
    }
  }

 private:
  double density(double x) const { return std::exp(-alpha_ * std::log(x)); }
  // (x^(1 - alpha) - 1) / (1 - alpha), and log(x) where alpha is 1.
  double integral(double x) const {
    double log_x = std::log(x), e = 1 - alpha_;
    return std::fabs(e * log_x) < 1e-9 ? log_x : std::expm1(e * log_x) / e;
  }
  double inverse(double y) const {
    double e = 1 - alpha_;
    if (std::fabs(e * y) < 1e-9) return std::exp(y);
    return std::exp(std::log1p(std::fmax(e * y, -1)) / e);
  }

  double count_, alpha_, first_, last_, shortcut_;
};

}  // namespace tintype

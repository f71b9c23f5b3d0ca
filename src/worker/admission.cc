// SPDX-License-Identifier: Apache-2.0
#include "worker/admission.h"

#include <algorithm>

#include "base/check.h"

namespace tintype {
namespace {

// How much one more job moves the average: the last thirty or so count.
constexpr double kAverageShare = 1.0 / 32;

// One picture may not fill the queue: whatever it costs, it counts as this share of it at most, and
// the deadline bounds what it really takes. Else one absurd request would turn all others away.
constexpr double kLargestShare = 1.0 / 4;

}  // namespace

double Admission::counted_weight(const Cost& cost) const {
  return std::min(cost.weight, settings_.max_queued_weight * kLargestShare);
}

bool Admission::fits(const Cost& cost) const {
  if (is_closed_) return false;
  if (jobs_ == 0) return true;
  return weight_ + counted_weight(cost) <= settings_.max_queued_weight &&
         bytes_ + cost.peak_bytes <= settings_.max_queued_bytes;
}

bool Admission::admit(const Cost& cost) {
  const std::scoped_lock lock(mutex_);
  average_.weight += (counted_weight(cost) - average_.weight) * kAverageShare;
  average_.peak_bytes += static_cast<std::int64_t>(
      static_cast<double>(cost.peak_bytes - average_.peak_bytes) * kAverageShare);
  if (!fits(cost)) return false;
  ++jobs_;
  weight_ += counted_weight(cost);
  bytes_ += cost.peak_bytes;
  return true;
}

void Admission::leave(const Cost& cost) {
  const std::scoped_lock lock(mutex_);
  CHECK(jobs_ > 0);
  --jobs_;
  bytes_ -= cost.peak_bytes;
  // Sums of floating point numbers drift; an empty queue is the moment to be exact again.
  weight_ = jobs_ == 0 ? 0 : weight_ - counted_weight(cost);
}

void Admission::close() {
  const std::scoped_lock lock(mutex_);
  is_closed_ = true;
}

Admission::Load Admission::load() const {
  const std::scoped_lock lock(mutex_);
  return {.jobs = jobs_, .weight = weight_, .bytes = bytes_, .is_saturated = !fits(average_)};
}

}  // namespace tintype

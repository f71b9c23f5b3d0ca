// SPDX-License-Identifier: Apache-2.0
#include "worker/admission.h"

#include "base/check.h"

namespace tintype {
namespace {

// How much one more job moves the average: the last thirty or so count.
constexpr double kAverageShare = 1.0 / 32;

}  // namespace

bool Admission::fits(const Cost& cost) const {
  if (is_closed_) return false;
  if (jobs_ == 0) return true;
  return weight_ + cost.weight <= settings_.max_queued_weight &&
         bytes_ + cost.peak_bytes <= settings_.max_queued_bytes;
}

bool Admission::admit(const Cost& cost) {
  const std::scoped_lock lock(mutex_);
  average_.weight += (cost.weight - average_.weight) * kAverageShare;
  average_.peak_bytes += static_cast<std::int64_t>(
      static_cast<double>(cost.peak_bytes - average_.peak_bytes) * kAverageShare);
  if (!fits(cost)) return false;
  ++jobs_;
  weight_ += cost.weight;
  bytes_ += cost.peak_bytes;
  return true;
}

void Admission::leave(const Cost& cost) {
  const std::scoped_lock lock(mutex_);
  CHECK(jobs_ > 0);
  --jobs_;
  bytes_ -= cost.peak_bytes;
  // Sums of floating point numbers drift; an empty queue is the moment to be exact again.
  weight_ = jobs_ == 0 ? 0 : weight_ - cost.weight;
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

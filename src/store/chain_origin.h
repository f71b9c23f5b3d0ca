// SPDX-License-Identifier: Apache-2.0
// ChainOrigin: several origins asked in order, such as a bucket first and the DAM behind it. One
// that has no such source, or that fails, passes the question on; the first that has it answers.
// Each but the last gets at most half of the time that is left, so that one that hangs leaves time
// to those behind it.
//
// When none has it, the most telling failure is the answer: one that could not be asked (Timeout,
// OriginFailed …) before all, because the source may well be there and a 404 would be remembered;
// then Forbidden where it means just that; then NotFound.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "store/origin.h"

namespace tintype {

struct ChainLink {
  std::shared_ptr<Origin> origin;
  // A Forbidden of this one may as well mean absent (S3 without s3:ListBucket).
  bool forbidden_may_be_absent = false;
};

// Requires: at least one link. `clock` must outlive it.
std::shared_ptr<Origin> chain_origins(std::vector<ChainLink> links, const Clock& clock);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// Judging a reply: everything a worker writes is hostile, because the source it decoded may have
// taken it over. A reply is believed only as far as it can be checked: lengths lie inside the
// out-area, codes are known, texts are plain, and the variant's own header says the planned format
// and size. Walk: worker -> reply -> variant bytes.
#pragma once

#include "base/result.h"
#include "worker/arena.h"
#include "worker/message.h"
#include "worker/pool.h"

namespace tintype {

struct ReplyVerdict {
  bool is_honest = false;  // false: the worker must be killed
  Result<RenderedVariant> answer = fail_private(ErrorCode::Internal, "not judged");
};

// Copies the variant out of the arena first and looks only at the copy. `reply` must itself be a
// copy. Times of the answer are left at 0.
ReplyVerdict judge(const ReplyMessage& reply, const JobMessage& job, const Arena& arena,
                   const ArenaShape& shape);

}  // namespace tintype

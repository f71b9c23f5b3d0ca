// SPDX-License-Identifier: Apache-2.0
// FileOrigin: sources in a local folder. Opens with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)
// from a held folder descriptor, so that no path leaves the root and no symlink is followed; reads
// on a thread pool, never on an event loop; a read that is not back by the deadline is Timeout.
// Regular files only.
#pragma once

#include <memory>

#include "base/async.h"
#include "base/clock.h"
#include "policy/policy.h"
#include "store/origin.h"

namespace tintype {

// Fails with BadRequest when the folder does not exist. `blocking` and `clock` must outlive
// the origin.
Result<std::unique_ptr<Origin>> open_file_origin(const OriginRule& rule,
                                                 asio::thread_pool& blocking, const Clock& clock);

}  // namespace tintype

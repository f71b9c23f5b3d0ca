// SPDX-License-Identifier: Apache-2.0
#include "store/origin.h"

namespace tintype {

Task<Result<std::vector<std::string>>> Origin::list(std::size_t /*limit*/) {
  co_return fail_public(ErrorCode::Unsupported, "the sources of this site cannot be listed");
}

}  // namespace tintype

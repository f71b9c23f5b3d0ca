// SPDX-License-Identifier: Apache-2.0
#include "store/origin.h"

#include <utility>

namespace tintype {

Task<Result<std::optional<Source>>> Origin::fetch_if_changed(std::string path,
                                                             SourceVersion /*known*/,
                                                             Deadline deadline) {
  CO_TRY(Source source, co_await fetch(std::move(path), deadline));
  co_return std::optional<Source>(std::move(source));
}

Task<Result<std::vector<std::string>>> Origin::list(std::size_t /*limit*/) {
  co_return fail_public(ErrorCode::Unsupported, "the sources of this site cannot be listed");
}

}  // namespace tintype

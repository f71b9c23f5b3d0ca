// SPDX-License-Identifier: Apache-2.0
// The native dialect, below a mount.
#include "base/text.h"
#include "dialect/writing.h"
#include "transform/native_url.h"

namespace tintype {

Result<std::string> write_native(const Ask& ask, const Mount& mount) {
  std::string url = native_url(ask);
  if (mount.site.empty()) return url;
  return below(mount, std::string_view(url).substr(ask.site.size() + 2));
}

}  // namespace tintype

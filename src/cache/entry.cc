// SPDX-License-Identifier: Apache-2.0
#include "cache/entry.h"

namespace tintype {

std::string cache_control_of(const EntryMeta& meta) {
  bool is_variant = meta.status == 200 && !meta.etag.empty();
  if (!is_variant && meta.max_age_seconds <= 0) return "no-store";
  std::string text = meta.is_private ? "private, max-age=" : "public, max-age=";
  text += std::to_string(meta.max_age_seconds);
  std::int64_t life_seconds = meta.fresh_until_unix_seconds - meta.stored_unix_seconds;
  bool outlives_browsers =
      is_variant && !meta.is_private && !meta.is_stale && life_seconds > meta.max_age_seconds;
  if (outlives_browsers) text += ", s-maxage=" + std::to_string(life_seconds);
  return text;
}

}  // namespace tintype

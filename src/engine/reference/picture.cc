// SPDX-License-Identifier: Apache-2.0
#include "engine/reference/picture.h"

#include <algorithm>

namespace tintype {

std::string take_vips_error() {
  std::string text = vips_error_buffer();
  vips_error_clear();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  // One message is one line of the log; libtiff alone can leave hundreds behind.
  constexpr std::size_t kMostBytes = 500;
  if (text.size() > kMostBytes) text.resize(kMostBytes);
  std::replace(text.begin(), text.end(), '\n', ';');
  return text.empty() ? "libvips failed without a word" : text;
}

Result<Picture> Picture::in_memory() const {
  VipsImage* copy = vips_image_copy_memory(raw());
  if (!copy) return fail_private(ErrorCode::Internal, take_vips_error());
  return Picture(copy);
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "engine/reference/picture.h"

namespace tintype {

std::string take_vips_error() {
  std::string text = vips_error_buffer();
  vips_error_clear();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "libvips failed without a word" : text;
}

Result<Picture> Picture::in_memory() const {
  VipsImage* copy = vips_image_copy_memory(raw());
  if (!copy) return fail_private(ErrorCode::Internal, take_vips_error());
  return Picture(copy);
}

}  // namespace tintype

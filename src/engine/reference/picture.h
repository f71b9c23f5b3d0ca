// SPDX-License-Identifier: Apache-2.0
// Picture: an owned reference to a VipsImage, and the one way to run a libvips operation. libvips
// is lazy: an operation builds a graph, and pixels are computed when something asks for them; so
// decoding errors appear wherever the pixels are first pulled (resample.cc: Picture::in_memory).
//
// Not thread-safe; lives inside one render. Walk: the steps of engine/reference.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <vips/vips.h>

#include "base/result.h"
#include "image/geometry.h"

namespace tintype {

// The text of libvips' error buffer, which is emptied. Private: it names library internals.
std::string take_vips_error();

class Picture {
 public:
  explicit Picture(VipsImage* owned) : image_(owned) {}

  VipsImage* raw() const { return image_.get(); }
  Size size() const { return {vips_image_get_width(raw()), vips_image_get_height(raw())}; }
  int bands() const { return vips_image_get_bands(raw()); }
  bool has_alpha() const { return vips_image_hasalpha(raw()) != 0; }

  // Computes every pixel. Fails with Internal; the caller knows whether the source is to blame.
  Result<Picture> in_memory() const;

 private:
  struct Unref {
    void operator()(VipsImage* image) const { g_object_unref(image); }
  };
  std::unique_ptr<VipsImage, Unref> image_;
};

// Runs `operation(VipsImage** out)`, which returns 0 on success. Fails with Internal.
template <class Operation>
Result<Picture> apply(const Operation& operation) {
  VipsImage* out = nullptr;
  if (operation(&out) != 0) return fail_private(ErrorCode::Internal, take_vips_error());
  return Picture(out);
}

}  // namespace tintype

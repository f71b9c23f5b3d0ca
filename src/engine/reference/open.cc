// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "engine/reference/steps.h"

namespace tintype {
namespace {

bool turns_itself(Format format) {
  return format == Format::Avif || format == Format::Heic;
}

// Loaders are called by name: libvips' own format detection can hang for ever
// (docs/internals/figures.md F-hang). Sequential access lets JPEG and PNG stream; a truncated
// source is an error, not grey.
int load(const Plan& plan, ByteView source, VipsImage** out) {
  // libvips takes a non-const pointer and only reads from it.
  void* data = const_cast<std::uint8_t*>(source.data());
  const std::size_t size = source.size();
  constexpr auto kFailOn = VIPS_FAIL_ON_TRUNCATED;
  constexpr auto kAccess = VIPS_ACCESS_SEQUENTIAL;
  switch (plan.source.format) {
    case Format::Jpeg:
      return vips_jpegload_buffer(data, size, out, "shrink", plan.shrink, "fail_on", kFailOn,
                                  "access", kAccess, nullptr);
    case Format::Png:
      return vips_pngload_buffer(data, size, out, "fail_on", kFailOn, "access", kAccess, nullptr);
    case Format::Webp:
      return vips_webpload_buffer(data, size, out, "fail_on", kFailOn, "access", kAccess, nullptr);
    case Format::Avif:
    case Format::Heic:
      return vips_heifload_buffer(data, size, out, "fail_on", kFailOn, "access", kAccess, nullptr);
    case Format::Gif:
      return vips_gifload_buffer(data, size, out, "fail_on", kFailOn, "access", kAccess, nullptr);
    case Format::Tiff:
      return vips_tiffload_buffer(data, size, out, "fail_on", kFailOn, "access", kAccess, nullptr);
    case Format::Svg:
    case Format::JpegOrPng:
      break;
  }
  vips_error("open", "no loader for format %d", static_cast<int>(plan.source.format));
  return -1;
}

// Shrinking rounds up in libjpeg and down in some libvips versions.
bool is_shrunk_side(int side_px, int full_px, int shrink) {
  return side_px == full_px / shrink || side_px == (full_px + shrink - 1) / shrink;
}

// libvips 8.14's HEIF loader ties the memory of the profile to its own image, while later pictures
// that share the profile may outlive that image: the picture gets its own copy.
Result<Picture> own_profile(const Picture& picture) {
  TRY(Picture copy, apply([&](VipsImage** out) { return vips_copy(picture.raw(), out, nullptr); }));
  const void* data = nullptr;
  std::size_t size = 0;
  if (!vips_image_get_typeof(picture.raw(), VIPS_META_ICC_NAME)) return copy;
  if (vips_image_get_blob(picture.raw(), VIPS_META_ICC_NAME, &data, &size) != 0) {
    return fail_private(ErrorCode::Internal, take_vips_error());
  }
  vips_image_set_blob_copy(copy.raw(), VIPS_META_ICC_NAME, data, size);
  return copy;
}

}  // namespace

Result<Opened> open_source(const Plan& plan, ByteView source) {
  TRY(Picture picture, apply([&](VipsImage** out) { return load(plan, source, out); }));
  const bool turned = turns_itself(plan.source.format);
  const Size promised = turned ? plan.source.upright() : plan.source.stored;
  const Size found = picture.size();
  if (!is_shrunk_side(found.width_px, promised.width_px, plan.shrink) ||
      !is_shrunk_side(found.height_px, promised.height_px, plan.shrink)) {
    return fail(Error{ErrorCode::Corrupt,
                      "header says " + std::to_string(promised.width_px) + "x" +
                          std::to_string(promised.height_px) + ", loader gives " +
                          std::to_string(found.width_px) + "x" + std::to_string(found.height_px),
                      "the source picture is damaged: its pixels are not of the size that its "
                      "header promises",
                      {}});
  }
  TRY(picture, own_profile(picture));
  if (vips_image_get_coding(picture.raw()) != VIPS_CODING_NONE) {
    // Packed colour (LabQ in TIFF) cannot be resampled as it is.
    TRY(picture, apply([&](VipsImage** out) {
          return vips_colourspace(picture.raw(), out, VIPS_INTERPRETATION_sRGB, nullptr);
        }));
  }
  return Opened{std::move(picture), turned ? Orientation::Upright : plan.source.orientation};
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "engine/reference/steps.h"

namespace tintype {
namespace {

std::uint32_t big_endian_u32(ByteView bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

// Whether a profile's description names sRGB (ICC.1:2022 section 7.3: 128 bytes of header, then a
// table of 12-byte tags). Most product photos carry such a profile, and converting sRGB to itself
// costs more than the resampling did.
bool names_srgb(ByteView profile) {
  constexpr std::size_t kHeaderBytes = 128, kTagBytes = 12;
  if (profile.size() < kHeaderBytes + 4) return false;
  const std::size_t tags = std::min<std::size_t>(big_endian_u32(profile, kHeaderBytes), 64);
  for (std::size_t i = 0; i < tags; ++i) {
    const std::size_t at = kHeaderBytes + 4 + i * kTagBytes;
    if (at + kTagBytes > profile.size()) return false;
    if (text_of(profile.subspan(at, 4)) != "desc") continue;
    const std::size_t offset = big_endian_u32(profile, at + 4);
    const std::size_t length = big_endian_u32(profile, at + 8);
    if (offset > profile.size() || length > profile.size() - offset) return false;
    const std::string_view text = text_of(profile.subspan(offset, length));
    // ASCII in version 2, UTF-16BE in version 4.
    using namespace std::string_view_literals;
    return text.find("sRGB IEC61966-2") != text.npos ||
           text.find("s\0R\0G\0B\0 \0I\0E\0C\0\x36\0\x31"sv) != text.npos;
  }
  return false;
}

bool needs_profile(const Picture& picture) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_interpretation(picture.raw()) == VIPS_INTERPRETATION_CMYK) return true;
  if (!vips_image_get_typeof(picture.raw(), VIPS_META_ICC_NAME)) return false;
  if (vips_image_get_blob(picture.raw(), VIPS_META_ICC_NAME, &data, &size) != 0) {
    vips_error_clear();
    return false;
  }
  return !names_srgb({static_cast<const std::uint8_t*>(data), size});
}

// Colour spaces that libvips has no way from (multiband and matrix TIFFs) are taken for what their
// number of bands suggests.
Result<Picture> name_space(const Picture& picture) {
  const VipsInterpretation space = vips_image_guess_interpretation(picture.raw());
  if (space == vips_image_get_interpretation(picture.raw()) &&
      vips_colourspace_issupported(picture.raw())) {
    return apply([&](VipsImage** out) { return vips_copy(picture.raw(), out, nullptr); });
  }
  const int bands = picture.bands() > 4 ? 3 : picture.bands();
  const bool deep = vips_image_get_format(picture.raw()) == VIPS_FORMAT_USHORT;
  VipsInterpretation named = deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
  if (bands < 3) named = deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
  TRY(Picture fewer, apply([&](VipsImage** out) {
        return vips_extract_band(picture.raw(), out, 0, "n", bands, nullptr);
      }));
  return apply([&](VipsImage** out) {
    return vips_copy(fewer.raw(), out, "interpretation", named, nullptr);
  });
}

bool is_grey(const Picture& picture) {
  const VipsInterpretation space = vips_image_get_interpretation(picture.raw());
  return space == VIPS_INTERPRETATION_B_W || space == VIPS_INTERPRETATION_GREY16;
}

// 8 bits a channel, alpha scaled along.
Result<Picture> to_eight_bits(const Picture& picture) {
  const auto space = is_grey(picture) ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  TRY(Picture converted,
      apply([&](VipsImage** out) { return vips_colourspace(picture.raw(), out, space, nullptr); }));
  return apply(
      [&](VipsImage** out) { return vips_cast(converted.raw(), out, VIPS_FORMAT_UCHAR, nullptr); });
}

Result<Picture> through_profile(const Picture& picture) {
  // The perceptual intent keeps gradations of CMYK; matrix profiles do not differ by intent.
  const bool cmyk = vips_image_get_interpretation(picture.raw()) == VIPS_INTERPRETATION_CMYK;
  return apply([&](VipsImage** out) {
    if (!cmyk) {
      return vips_icc_transform(picture.raw(), out, "srgb", "embedded", TRUE, "intent",
                                VIPS_INTENT_PERCEPTUAL, nullptr);
    }
    return vips_icc_transform(picture.raw(), out, "srgb", "embedded", TRUE, "input_profile", "cmyk",
                              "intent", VIPS_INTENT_PERCEPTUAL, nullptr);
  });
}

}  // namespace

Result<Picture> to_srgb(const Picture& picture) {
  TRY(Picture named, name_space(picture));
  if (needs_profile(named)) {
    // Alpha passes a profile unscaled, so a 16-bit picture with alpha is brought to 8 bits first.
    if (named.has_alpha() && vips_image_get_format(named.raw()) == VIPS_FORMAT_USHORT) {
      TRY(named, to_eight_bits(named));
    }
    if (auto converted = through_profile(named)) named = std::move(*converted);
  }
  return to_eight_bits(named);
}

}  // namespace tintype

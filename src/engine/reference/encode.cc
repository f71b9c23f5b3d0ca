// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <string>

#include "engine/reference/steps.h"

namespace tintype {
namespace {

// libvips' names of EXIF 2.32 tags 0x8298 and 0x013B in IFD 0.
constexpr const char* kKeptFields[] = {"exif-ifd0-Copyright", "exif-ifd0-Artist"};

std::optional<std::string> read_field(VipsImage* image, const char* name) {
  const char* text = nullptr;
  if (!vips_image_get_typeof(image, name)) return std::nullopt;
  if (vips_image_get_string(image, name, &text) != 0) {
    vips_error_clear();
    return std::nullopt;
  }
  return text;
}

// A picture that carries nothing but the copyright: the savers build a new EXIF block from the
// fields.
Result<Picture> keep_copyright(const Picture& picture) {
  // A copy's metadata may be changed; that of a shared picture may not.
  TRY(Picture bare, apply([&](VipsImage** out) {
        return vips_copy(picture.raw(), out, "xres", 72.0 / 25.4, "yres", 72.0 / 25.4, nullptr);
      }));
  std::optional<std::string> kept[std::size(kKeptFields)];
  for (std::size_t i = 0; i < std::size(kKeptFields); ++i) {
    kept[i] = read_field(bare.raw(), kKeptFields[i]);
  }
  const std::unique_ptr<char*, void (*)(char**)> names(vips_image_get_fields(bare.raw()),
                                                       g_strfreev);
  for (char** name = names.get(); name && *name; ++name) vips_image_remove(bare.raw(), *name);
  for (std::size_t i = 0; i < std::size(kKeptFields); ++i) {
    if (kept[i]) vips_image_set_string(bare.raw(), kKeptFields[i], kept[i]->c_str());
  }
  return bare;
}

struct Target {
  void** data;
  std::size_t* size;
};

// A viewer waits for these settings: WebP method 2 is half the time of method 4 for 3 % more bytes,
// AV1 speed 8 (libvips: 9 - effort) a tenth of speed 5 (facts/imaging.md sections 3 and 4).
constexpr int kWebpMethod = 2;
constexpr int kAvifEffort = 1;
constexpr int kPngCompression = 6;

int save(VipsImage* image, const Encode& options, Target target) {
  const int strip = options.keep_metadata == KeepMetadata::None;
  const int q = options.quality_pct;
  switch (options.format) {
    case Format::Jpeg:
      // Chroma is kept at full resolution from q90 on (libvips' automatic choice, and sharp's).
      return vips_jpegsave_buffer(image, target.data, target.size, "Q", q, "optimize_coding", TRUE,
                                  "strip", strip, nullptr);
    case Format::Png:
      return vips_pngsave_buffer(image, target.data, target.size, "compression", kPngCompression,
                                 "filter", VIPS_FOREIGN_PNG_FILTER_ALL, "strip", strip, nullptr);
    case Format::Webp:
      return vips_webpsave_buffer(image, target.data, target.size, "Q", q, "effort", kWebpMethod,
                                  "alpha_q", 100, "strip", strip, nullptr);
    case Format::Avif:
      return vips_heifsave_buffer(image, target.data, target.size, "Q", q, "compression",
                                  VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", kAvifEffort,
                                  "bitdepth", 8, "strip", strip, nullptr);
    default:
      break;
  }
  vips_error("encode", "no saver for format %d", static_cast<int>(options.format));
  return -1;
}

}  // namespace

Result<Bytes> encode(const Picture& picture, const Encode& options) {
  const Picture* bare = &picture;
  std::optional<Picture> with_copyright;
  if (options.keep_metadata == KeepMetadata::Copyright) {
    TRY(with_copyright, keep_copyright(picture));
    bare = &*with_copyright;
  }
  void* data = nullptr;
  std::size_t size = 0;
  const int failed = save(bare->raw(), options, {&data, &size});
  const std::unique_ptr<void, void (*)(void*)> owner(data, g_free);
  if (failed) return fail_private(ErrorCode::Internal, take_vips_error());
  const auto* first = static_cast<const std::uint8_t*>(data);
  return Bytes(first, first + size);
}

}  // namespace tintype

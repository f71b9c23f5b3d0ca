// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "engine/reference/steps.h"

namespace tintype {
namespace {

// EXIF 2.32 tags 0x8298 and 0x013B in IFD 0, and the keywords of the PNG specification
// (section 11.3.3.2) that say the same, because libvips 8.14 writes no EXIF into PNG.
struct KeptField {
  const char* exif;
  const char* png_text;
};
constexpr KeptField kKeptFields[] = {{"exif-ifd0-Copyright", "png-comment-0-Copyright"},
                                     {"exif-ifd0-Artist", "png-comment-1-Author"}};

// libvips shows an ASCII tag as "value (value, ASCII, 6 components, 6 bytes)", the NUL counted.
std::string value_of_field(std::string_view shown) {
  constexpr std::string_view kMark = ", ASCII, ";
  const auto at = shown.rfind(kMark);
  if (at == shown.npos) return std::string(shown);
  const auto count = shown.substr(at + kMark.size());
  const auto length = parse_int(count.substr(0, count.find(' '))).value_or(0) - 1;
  if (length < 0 || static_cast<std::size_t>(length) > at) return {};
  return std::string(shown.substr(0, length));
}

std::optional<std::string> read_field(VipsImage* image, const char* name) {
  const char* text = nullptr;
  if (!vips_image_get_typeof(image, name)) return std::nullopt;
  if (vips_image_get_string(image, name, &text) != 0) {
    vips_error_clear();
    return std::nullopt;
  }
  return value_of_field(text);
}

// A picture without any metadata but what is kept: the savers build a new EXIF block from the
// fields. Done here because the `strip` of libvips 8.14's WebP saver leaves EXIF and XMP in.
Result<Picture> strip(const Picture& picture, const Encode& options) {
  // A copy's metadata may be changed; that of a shared picture may not. The resolution is metadata
  // too.
  TRY(Picture bare, apply([&](VipsImage** out) {
        return vips_copy(picture.raw(), out, "xres", 72.0 / 25.4, "yres", 72.0 / 25.4, nullptr);
      }));
  std::optional<std::string> kept[std::size(kKeptFields)];
  for (std::size_t i = 0; i < std::size(kKeptFields); ++i) {
    if (options.keep_metadata == KeepMetadata::Copyright) {
      kept[i] = read_field(bare.raw(), kKeptFields[i].exif);
    }
  }
  const std::unique_ptr<char*, void (*)(char**)> names(vips_image_get_fields(bare.raw()),
                                                       g_strfreev);
  for (char** name = names.get(); name && *name; ++name) vips_image_remove(bare.raw(), *name);
  for (std::size_t i = 0; i < std::size(kKeptFields); ++i) {
    if (!kept[i] || kept[i]->empty()) continue;
    const bool png = options.format == Format::Png;
    const char* name = png ? kKeptFields[i].png_text : kKeptFields[i].exif;
    vips_image_set_string(bare.raw(), name, kept[i]->c_str());
  }
  return bare;
}

struct Target {
  void** data;
  std::size_t* size;
};

// A viewer waits for these settings: WebP method 2 is half the time of method 4 for 3 % more bytes,
// AV1 speed 8 (libvips: 9 - effort) a ninth of speed 5 (docs/internals/figures.md F-webp, F-avif).
constexpr int kWebpMethod = 2;
constexpr int kAvifEffort = 1;
constexpr int kPngCompression = 6;

int save(VipsImage* image, const Encode& options, Target target) {
  const int no_metadata = options.keep_metadata == KeepMetadata::None;
  const int q = options.quality_pct;
  switch (options.format) {
    case Format::Jpeg:
      // Chroma is kept at full resolution from q90 on (libvips' automatic choice, and sharp's).
      return vips_jpegsave_buffer(image, target.data, target.size, "Q", q, "optimize_coding", TRUE,
                                  "strip", no_metadata, nullptr);
    case Format::Png:
      return vips_pngsave_buffer(image, target.data, target.size, "compression", kPngCompression,
                                 "filter", VIPS_FOREIGN_PNG_FILTER_ALL, "strip", no_metadata,
                                 nullptr);
    case Format::Webp:
      return vips_webpsave_buffer(image, target.data, target.size, "Q", q, "effort", kWebpMethod,
                                  "alpha_q", 100, "strip", no_metadata, nullptr);
    case Format::Avif:
      return vips_heifsave_buffer(image, target.data, target.size, "Q", q, "compression",
                                  VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", kAvifEffort,
                                  "bitdepth", 8, "strip", no_metadata, nullptr);
    default:
      break;
  }
  vips_error("encode", "no saver for format %d", static_cast<int>(options.format));
  return -1;
}

}  // namespace

Result<Bytes> encode(const Picture& picture, const Encode& options) {
  TRY(const Picture bare, strip(picture, options));
  void* data = nullptr;
  std::size_t size = 0;
  const int failed = save(bare.raw(), options, {&data, &size});
  const std::unique_ptr<void, void (*)(void*)> owner(data, g_free);
  if (failed) return fail_private(ErrorCode::Internal, take_vips_error());
  const ByteView encoded(static_cast<const std::uint8_t*>(data), size);
  if (options.format == Format::Webp && options.keep_metadata == KeepMetadata::None) {
    return drop_webp_metadata(encoded);
  }
  return Bytes(encoded.begin(), encoded.end());
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// ImgproxyDraft: what the options of an imgproxy URL say, before they are weighed against each
// other and the source is known. Filled option by option by imgproxy_options.cc, made into an Ask
// by imgproxy.cc. Plain values; a draft belongs to one request.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transform/ask.h"

namespace tintype {

// A side of a crop that long reaches to the picture's edge.
inline constexpr std::int64_t kImgproxyMaxCrop_px = 65535;

// A gravity. Of a compass point: where it pulls (-1 left or top, 1 right or bottom) and its offset
// in ten-thousandths; one of 1 and more is in pixels, below it is a share of the picture.
struct ImgproxyAnchor {
  Gravity gravity;
  int pull_x = 0, pull_y = 0;
  std::int64_t offset_x_e4 = 0, offset_y_e4 = 0;
  bool has_offset() const { return offset_x_e4 != 0 || offset_y_e4 != 0; }
};

struct ImgproxyExtension {
  bool is_on = false;
  ImgproxyAnchor anchor;
};

// The qualities are imgproxy's own (IMGPROXY_QUALITY, IMGPROXY_FORMAT_QUALITY).
struct ImgproxyFormat {
  std::string_view word;
  Format format;
  std::int32_t quality_pct;
};
inline constexpr std::array<ImgproxyFormat, 4> kImgproxyFormats = {{
    {"jpg", Format::Jpeg, 80},
    {"webp", Format::Webp, 79},
    {"avif", Format::Avif, 63},
    {"png", Format::Png, 80},
}};

struct ImgproxyDraft {
  Ask ask;
  std::uint32_t named = 0;  // by the URL itself; ask.named has the dialect's defaults too
  Fit fit = Fit::Inside;
  bool fills_down = false;
  ImgproxyExtension extend, extend_ratio;
  ImgproxyAnchor anchor;
  std::string crop;                                    // as it stands, for the message
  std::int64_t crop_width_e4 = 0, crop_height_e4 = 0;  // like an anchor's offsets; 0: all of it
  std::optional<ImgproxyAnchor> crop_anchor;
  std::array<std::int32_t, kImgproxyFormats.size()> format_quality_pct{};  // 0: none
};

// `text`: "rs:fill:300:400", decoded. Fails with BadRequest on a wrong value, with
// UnsupportedOption on what we cannot do; names that imgproxy does not know are kept as unknown.
Result<> apply_imgproxy_option(ImgproxyDraft& draft, std::string_view text);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// thumbor (thumbor.cc): "/<hmac or unsafe>/fit-in/300x200/filters:quality(60):format(webp)/a.jpg".
#include <utility>

#include "base/signing.h"
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "thumbor";
constexpr std::int64_t kDefaultQuality_pct = 80;
// trim's tolerance is a distance in RGB, ours one channel's.
constexpr std::int64_t kMaxTolerance = 442, kMaxChannel = 255;

// Where a compass point pulls: -1 left or top.
struct Pull {
  int x = 0, y = 0;
};
Pull pull_of(const Transformation& t) {
  static constexpr Pull kPulls[] = {{0, 0},  {0, -1}, {1, -1},  {1, 0}, {1, 1}, {0, 1},
                                    {-1, 1}, {-1, 0}, {-1, -1}, {0, 0}, {0, 0}};
  return kPulls[static_cast<std::size_t>(t.gravity.value_or(Gravity{}).kind)];
}

// Segments, each with its slash, and filters.
struct Parts {
  std::string segments, filters;
  void add(std::string_view segment) { segments.append(segment).append("/"); }
  void filter(std::string_view name, std::string_view argument) {
    filters.append(filters.empty() ? "" : ":").append(name).append("(").append(argument) += ')';
  }
};

void add_cuts(Parts& parts, const Transformation& t) {
  if (t.trim_threshold) {
    std::int64_t tolerance = (*t.trim_threshold * kMaxTolerance + kMaxChannel / 2) / kMaxChannel;
    parts.add("trim:" + fixed_text(tolerance, 0));
  }
  if (!t.crop || t.crop->unit != CropBox::Unit::Pixels) return;
  const CropBox& crop = *t.crop;
  parts.add(fixed_text(crop.x, 0) + "x" + fixed_text(crop.y, 0) + ":" +
            fixed_text(crop.x + crop.width, 0) + "x" + fixed_text(crop.y + crop.height, 0));
}

// A fit is a segment before the size, and filters.
void add_fit(Parts& parts, const Transformation& t) {
  bool is_box = has_box(t);
  // A lone side enlarges unless it is to fit in.
  bool fits_in = is_box ? !t.fit || t.fit == Fit::Inside || t.fit == Fit::Pad : !t.upscale;
  if (t.fit == Fit::Outside) {
    parts.add("full-fit-in");
  } else if (fits_in) {
    parts.add("fit-in");
    if (t.upscale && is_box) parts.filter("upscale", "");
  }
  bool may_enlarge = t.fit == Fit::Cover || t.fit == Fit::Stretch || t.fit == Fit::Outside;
  if (t.fit == Fit::Stretch) parts.filter("stretch", "");
  if (may_enlarge && !t.upscale) parts.filter("no_upscale", "");
}

// thumbor mirrors, then turns against the clock what has been resized: sides and anchor are those
// of the picture before.
void add_turned_box(Parts& parts, const Transformation& t) {
  bool mirrors = t.flip == Flip::Horizontal;
  int turn_deg = mirrors ? t.rotate_deg : (360 - t.rotate_deg) % 360;
  std::int32_t width_px = t.width_px.value_or(0), height_px = t.height_px.value_or(0);
  if (turn_deg % 180 != 0) std::swap(width_px, height_px);
  Pull pull = pull_of(t);
  for (int turned_deg = 0; turned_deg < turn_deg; turned_deg += 90) pull = {-pull.y, pull.x};
  if (mirrors) pull.x = -pull.x;
  bool has_size = width_px > 0 || height_px > 0 || mirrors;
  if (has_size) {
    parts.add((mirrors ? "-" : "") + fixed_text(width_px, 0) + "x" + fixed_text(height_px, 0));
  }
  if (pull.x != 0) parts.add(pull.x < 0 ? "left" : "right");
  if (pull.y != 0) parts.add(pull.y < 0 ? "top" : "bottom");
  bool is_smart = t.gravity && t.gravity->kind == Gravity::Kind::Smart;
  if (is_smart) parts.add("smart");
  if (turn_deg != 0) parts.filter("rotate", fixed_text(turn_deg, 0));
}

// sharpen(<amount>,<radius>,<of luminance only>), a sigma of 1 and half the radius.
Result<> add_effects(Parts& parts, const Transformation& t) {
  if (t.background || pads(t)) {
    Color color = background_of(t);
    std::string text = color.alpha == 0 ? "transparent" : hex_text(color);
    parts.filter(pads(t) ? "fill" : "background_color", text);
  }
  if (t.blur_e2) parts.filter("blur", fixed_text(*t.blur_e2, 2));
  if (!t.sharpen_e2) return {};
  if (*t.sharpen_e2 < 100) return cannot_say(t, OptionId::Sharpen, kLanguage);
  parts.filter("sharpen", "1," + fixed_text((*t.sharpen_e2 - 100) * 2, 2) + ",true");
  return {};
}

void add_encoding(Parts& parts, const Ask& ask) {
  const Transformation& t = ask.transformation;
  auto quality_pct = quality_of(t);
  bool names_quality = quality_pct && quality_pct != kDefaultQuality_pct;
  if (names_quality) parts.filter("quality", fixed_text(*quality_pct, 0));
  bool names_format = !t.format_auto && !is_source_format(ask);
  if (names_format) parts.filter("format", name_of(t.format));
}

}  // namespace

Result<std::string> write_thumbor(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  if (t.aspect) return cannot_say(t, OptionId::AspectRatio, kLanguage);
  if (t.fit == Fit::Cut) return cannot_say(t, OptionId::Fit, kLanguage);
  Parts parts;
  add_cuts(parts, t);
  if (t.width_px || t.height_px) add_fit(parts, t);
  add_turned_box(parts, t);
  TRY(add_effects(parts, t));
  add_encoding(parts, ask);
  if (!parts.filters.empty()) parts.add("filters:" + parts.filters);
  std::string rest = parts.segments + encoded_source(ask);
  if (mount.keys.empty()) return below(mount, "unsafe/" + rest);
  // Every character of it is one that thumbor signs as it stands.
  std::string mac = base64_url(hmac_sha1(mount.keys.front().key, rest));
  return below(mount, mac + "=/" + rest);
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "plan/cost.h"
#include "plan/geometry.h"

namespace tintype {
namespace {

std::string text_of_size(Size size) {
  return std::to_string(size.width_px) + "x" + std::to_string(size.height_px);
}

Failure too_large(const std::string& what, Size size, const std::string& limit) {
  return fail_public(ErrorCode::TooLarge,
                     what + " is " + text_of_size(size) + " pixels; allowed are " + limit);
}

Result<> check_source(const ImageInfo& source, const PlanLimits& limits) {
  if (source.format == Format::Svg) {
    return fail_public(ErrorCode::Unsupported, "svg pictures are not rendered");
  }
  if (source.stored.empty()) {
    return fail_public(ErrorCode::Corrupt, "the source picture has no pixels");
  }
  if (source.stored.pixels() > limits.max_source_pixels) {
    return too_large("the source picture", source.stored,
                     std::to_string(limits.max_source_pixels) + " pixels in all");
  }
  if (source.is_progressive && source.stored.pixels() > limits.max_progressive_pixels) {
    return too_large("the source picture", source.stored,
                     std::to_string(limits.max_progressive_pixels) +
                         " pixels in all where it is progressive or interlaced");
  }
  return {};
}

// The longest side a format's encoder writes. WebP: RFC 9649 section 2.6, 14 bits. JPEG:
// JPEG_MAX_DIMENSION of libjpeg, below the 65535 of the format. AVIF: what one tile-less AV1 level
// of libaom takes safely. PNG could do 2^31 - 1; 65535 keeps rows within 512 KB.
std::int32_t max_side_of(Format format) {
  switch (format) {
    case Format::Webp:
      return 16383;
    case Format::Jpeg:
      return 65500;
    case Format::Avif:
      return 16384;
    default:
      return 65535;
  }
}

Result<> check_variant(const Layout& layout, Format format, const PlanLimits& limits) {
  const std::int32_t side_px = std::min(limits.max_side_px, max_side_of(format));
  if (std::max(layout.canvas.width_px, layout.canvas.height_px) > side_px) {
    return too_large("the variant", layout.canvas,
                     std::to_string(side_px) + " a side for " + std::string(name_of(format)));
  }
  if (layout.canvas.pixels() > limits.max_variant_pixels) {
    return too_large("the variant", layout.canvas,
                     std::to_string(limits.max_variant_pixels) + " pixels in all");
  }
  // Enlarging a thin picture to cover a box can ask for far more than the box.
  const auto between = std::max(limits.max_source_pixels, limits.max_variant_pixels);
  if (layout.resized.pixels() > between) {
    return too_large("the resized picture, before it is cut,", layout.resized,
                     std::to_string(between) + " pixels in all");
  }
  return {};
}

// How far above the target the picture that a JPEG decoder shrinks must stay. 2.0 gains 0.1 to 0.5
// points of SSIMULACRA2 over 1.0 and never shows the loss of 12 points that less careful rules have
// (docs/internals/figures.md F-headroom, F-shrink).
constexpr int kShrinkHeadroom = 2;

int choose_shrink(const Plan& plan) {
  if (plan.source.format != Format::Jpeg || plan.trim_threshold) return 1;
  const Size crop = oriented(plan.crop.size(), plan.turn);
  for (int shrink : {8, 4, 2}) {
    const std::int64_t needed = std::int64_t{shrink} * kShrinkHeadroom;
    if (crop.width_px >= needed * plan.resized.width_px &&
        crop.height_px >= needed * plan.resized.height_px) {
      return shrink;
    }
  }
  return 1;
}

// Straight alpha over opaque white.
Color over_white(Color color) {
  auto blend = [&](std::uint8_t channel) {
    return static_cast<std::uint8_t>((channel * color.alpha + 255 * (255 - color.alpha) + 127) /
                                     255);
  };
  return {blend(color.red), blend(color.green), blend(color.blue), 255};
}

// An opaque background fills transparent parts; a translucent one only shows in the padding.
// Without one, padding is white, but transparent where the picture itself is.
void choose_colors(Plan& plan) {
  const bool holds_alpha = can_hold_alpha(plan.encode.format);
  const auto background = plan.asked.background;
  if (!holds_alpha) {
    plan.flatten = over_white(background.value_or(kWhite));
    plan.canvas_color = *plan.flatten;
    return;
  }
  if (background && background->alpha == 255) plan.flatten = background;
  const Color unasked = plan.source.has_alpha ? Color{255, 255, 255, 0} : kWhite;
  plan.canvas_color = background.value_or(unasked);
}

// With trim the sides are known only once the border is: the largest they can become.
Size bound_trimmed(const Plan& plan, const PlanLimits& limits) {
  const Transformation& t = plan.asked;
  const Size natural = oriented(plan.crop.size(), plan.turn);
  const std::int32_t most_px = std::min(limits.max_side_px, max_side_of(plan.encode.format));
  const bool box_bounds = t.fit != Fit::Outside;
  auto bound = [&](std::optional<std::int32_t> asked_px, int natural_px) {
    if (asked_px && box_bounds) return *asked_px;
    return t.upscale || t.fit == Fit::Pad ? most_px : natural_px;
  };
  return {bound(t.width_px, natural.width_px), bound(t.height_px, natural.height_px)};
}

// Fills in everything after the crop and the trim.
Result<> finish(Plan& plan, const PlanLimits& limits) {
  const Layout layout = lay_out(plan.asked, plan.source.upright(), plan.crop);
  TRY(check_variant(layout, plan.encode.format, limits));
  plan.turn = layout.turn;
  plan.resized = layout.resized;
  plan.crop_smart = layout.crop_smart;
  plan.result_crop = layout.result_crop;
  plan.canvas = layout.canvas;
  plan.placed_at = layout.placed_at;
  plan.shrink = choose_shrink(plan);
  plan.is_size_exact = !plan.trim_threshold;
  plan.cost = estimate(plan);
  if (!plan.is_size_exact) plan.canvas = bound_trimmed(plan, limits);
  return {};
}

Format format_for(Format asked, const ImageInfo& source) {
  if (asked != Format::JpegOrPng) return asked;
  return source.has_alpha ? Format::Png : Format::Jpeg;
}

}  // namespace

Result<Plan> plan(const Transformation& settled, const ImageInfo& source,
                  const PlanLimits& limits) {
  CHECK(!settled.format_auto);
  TRY(check_source(source, limits));
  const Format format = format_for(settled.format, source);
  if (!is_encodable(format)) {
    return fail_public(ErrorCode::Unsupported,
                       std::string(name_of(format)) + " pictures are not written", "f");
  }
  Plan plan;
  plan.asked = settled;
  plan.asked.format = format;
  plan.source = source;
  TRY(plan.crop, settle_crop(settled, source.upright()));
  plan.trim_threshold = settled.trim_threshold;
  plan.sharpen_e2 = settled.sharpen_e2;
  plan.blur_e2 = settled.blur_e2;
  plan.encode = {.format = format,
                 .quality_pct = settled.quality_pct.value_or(default_quality_pct(format)),
                 .keep_metadata = settled.keep_metadata};
  choose_colors(plan);
  TRY(finish(plan, limits));
  return plan;
}

Result<Plan> plan_trimmed(const Plan& p, Rect trimmed, const PlanLimits& limits) {
  CHECK(p.trim_threshold && !trimmed.empty());
  CHECK(trimmed.x_px >= p.crop.x_px && trimmed.y_px >= p.crop.y_px);
  CHECK(trimmed.x_px + trimmed.width_px <= p.crop.x_px + p.crop.width_px);
  CHECK(trimmed.y_px + trimmed.height_px <= p.crop.y_px + p.crop.height_px);
  Plan again = p;
  again.crop = trimmed;
  again.trim_threshold.reset();
  TRY(finish(again, limits));
  // The pixels are decoded already, at full size.
  again.shrink = 1;
  return again;
}

}  // namespace tintype

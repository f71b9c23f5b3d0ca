// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "base/hash.h"
#include "base/text.h"
#include "plan/plan.h"

namespace tintype {
namespace {

std::string show(Size size) {
  return std::to_string(size.width_px) + "x" + std::to_string(size.height_px);
}

std::string show(Point point) {
  return std::to_string(point.x_px) + "," + std::to_string(point.y_px);
}

std::string show(Rect rect) {
  return show(rect.size()) + " at " + show(Point{rect.x_px, rect.y_px});
}

std::string show(Color color) {
  const std::uint8_t channels[] = {color.red, color.green, color.blue, color.alpha};
  return "#" + hex(ByteView(channels, color.alpha == 255 ? 3 : 4));
}

std::string show(Orientation o) {
  switch (o) {
    case Orientation::Upright:
      break;
    case Orientation::FlipX:
      return "flip left-right";
    case Orientation::Turn180:
      return "turn 180";
    case Orientation::FlipY:
      return "flip top-bottom";
    case Orientation::Transpose:
      return "transpose";
    case Orientation::Turn90:
      return "turn 90";
    case Orientation::Transverse:
      return "transverse";
    case Orientation::Turn270:
      return "turn 270";
  }
  return "upright";
}

std::string show_hundredths(std::int32_t value_e2) {
  return format_decimal(value_e2 / 100.0, 2);
}

// Up to the resampled picture.
void describe_geometry(const Plan& plan, std::string& out) {
  const ImageInfo& source = plan.source;
  out += "decode " + std::string(name_of(source.format)) + " " + show(source.stored);
  if (plan.shrink > 1) out += " at 1/" + std::to_string(plan.shrink);
  if (source.frames > 1) out += ", first of " + std::to_string(source.frames) + " frames";
  out += "\n";
  if (source.orientation != Orientation::Upright) {
    out += "orient: " + show(source.orientation) + "\n";
  }
  if (!plan.crop.covers(source.upright())) out += "crop " + show(plan.crop) + "\n";
  if (plan.trim_threshold) {
    out += "trim the border, threshold " + std::to_string(*plan.trim_threshold) +
           ", then plan again; untrimmed:\n";
  }
  if (plan.turn != Orientation::Upright) out += show(plan.turn) + "\n";
  if (plan.resized != oriented(plan.crop.size(), plan.turn)) {
    out += "resize to " + show(plan.resized) + "\n";
  }
}

// What is done to the resampled picture.
void describe_finish(const Plan& plan, std::string& out) {
  if (plan.crop_smart) {
    out += "crop " + show(plan.result_crop.size()) + " by content\n";
  } else if (!plan.result_crop.covers(plan.resized)) {
    out += "crop " + show(plan.result_crop) + "\n";
  }
  if (plan.sharpen_e2) out += "sharpen, sigma " + show_hundredths(*plan.sharpen_e2) + "\n";
  if (plan.blur_e2) out += "blur, sigma " + show_hundredths(*plan.blur_e2) + "\n";
  if (plan.flatten && plan.source.has_alpha) out += "flatten over " + show(*plan.flatten) + "\n";
  if (!plan.is_size_exact) {
    out += "at most " + show(plan.canvas) + "\n";
  } else if (plan.canvas != plan.result_crop.size()) {
    out += "pad to " + show(plan.canvas) + ", picture at " + show(plan.placed_at) + ", with " +
           show(plan.canvas_color) + "\n";
  }
  out += "encode " + std::string(name_of(plan.encode.format));
  if (plan.encode.format != Format::Png) out += " q" + std::to_string(plan.encode.quality_pct);
  if (plan.encode.keep_metadata == KeepMetadata::Copyright) out += ", copyright kept";
  out += "\n";
}

}  // namespace

std::string describe(const Plan& plan) {
  std::string out;
  describe_geometry(plan, out);
  describe_finish(plan, out);
  const auto peak_bytes = static_cast<std::uint64_t>(plan.cost.peak_bytes);
  return out + "cost " + format_decimal(plan.cost.weight, 1) + " ms, " + human_bytes(peak_bytes) +
         "\n";
}

}  // namespace tintype

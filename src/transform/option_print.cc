// SPDX-License-Identifier: Apache-2.0
#include "transform/fixed_decimal.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

std::string_view word_of(Fit fit) {
  switch (fit) {
    case Fit::Inside:
      return "inside";
    case Fit::Pad:
      return "pad";
    case Fit::Cover:
      return "cover";
    case Fit::Stretch:
      return "stretch";
    case Fit::Outside:
      return "outside";
    case Fit::Cut:
      return "cut";
  }
  return "";
}

std::string_view word_of(Small small) {
  switch (small) {
    case Small::Ratio:
      return "ratio";
    case Small::Cut:
      return "cut";
    case Small::Keep:
      return "keep";
    case Small::Pad:
      return "pad";
  }
  return "";
}

std::string_view word_of(Gravity::Kind kind) {
  switch (kind) {
    case Gravity::Kind::Center:
      return "c";
    case Gravity::Kind::North:
      return "n";
    case Gravity::Kind::NorthEast:
      return "ne";
    case Gravity::Kind::East:
      return "e";
    case Gravity::Kind::SouthEast:
      return "se";
    case Gravity::Kind::South:
      return "s";
    case Gravity::Kind::SouthWest:
      return "sw";
    case Gravity::Kind::West:
      return "w";
    case Gravity::Kind::NorthWest:
      return "nw";
    case Gravity::Kind::FocalPoint:
      return "fp";
    case Gravity::Kind::Smart:
      return "smart";
  }
  return "";
}

std::string_view word_of(Flip flip) {
  switch (flip) {
    case Flip::None:
      return "";
    case Flip::Horizontal:
      return "h";
    case Flip::Vertical:
      return "v";
    case Flip::Both:
      return "hv";
  }
  return "";
}

bool append(std::string& out, std::string_view word) {
  out += word;
  return true;
}

bool append_number(std::string& out, std::optional<std::int32_t> value, int decimals) {
  if (!value) return false;
  append_fixed(out, *value, decimals);
  return true;
}

bool append_aspect(std::string& out, const std::optional<AspectRatio>& aspect) {
  if (!aspect) return false;
  append_fixed(out, aspect->width, 0);
  out += '-';
  append_fixed(out, aspect->height, 0);
  return true;
}

bool append_color(std::string& out, const std::optional<Color>& color) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (!color) return false;
  auto append_byte = [&](std::uint8_t byte) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  };
  append_byte(color->red);
  append_byte(color->green);
  append_byte(color->blue);
  if (color->alpha != 255) append_byte(color->alpha);
  return true;
}

bool append_crop(std::string& out, const std::optional<CropBox>& crop) {
  if (!crop) return false;
  bool is_percent = crop->unit == CropBox::Unit::Percent;
  std::string_view separator;
  for (std::int32_t side : {crop->x, crop->y, crop->width, crop->height}) {
    out += separator;
    append_fixed(out, side, is_percent ? 2 : 0);
    if (is_percent) out += 'p';
    separator = "-";
  }
  return true;
}

bool append_gravity(std::string& out, const std::optional<Gravity>& gravity) {
  if (!gravity || gravity->kind == Gravity::Kind::Center) return false;
  out += word_of(gravity->kind);
  if (gravity->kind != Gravity::Kind::FocalPoint) return true;
  out += '-';
  append_fixed(out, gravity->x_e4, 4);
  out += '-';
  append_fixed(out, gravity->y_e4, 4);
  return true;
}

bool append_fit(std::string& out, const Transformation& t) {
  // Beside an aspect ratio the default is Cover, so that Inside has to be said.
  if (!t.fit || (*t.fit == Fit::Inside && !t.aspect)) return false;
  return append(out, word_of(*t.fit));
}

}  // namespace

bool append_option(std::string& out, const Transformation& t, OptionId id) {
  switch (id) {
    case OptionId::AspectRatio:
      return append_aspect(out, t.aspect);
    case OptionId::Background:
      return append_color(out, t.background);
    case OptionId::Blur:
      return append_number(out, t.blur_e2, 2);
    case OptionId::Crop:
      return append_crop(out, t.crop);
    case OptionId::Dpr:
      if (t.dpr_auto) return append(out, "auto");
      return t.dpr_e2 != 100 && append_number(out, t.dpr_e2, 2);
    case OptionId::Format:
      return !t.format_auto && append(out, name_of(t.format));
    case OptionId::Fit:
      return append_fit(out, t);
    case OptionId::Flip:
      return t.flip != Flip::None && append(out, word_of(t.flip));
    case OptionId::Gravity:
      return append_gravity(out, t.gravity);
    case OptionId::Height:
      return append_number(out, t.height_px, 0);
    case OptionId::Metadata:
      return t.keep_metadata == KeepMetadata::Copyright && append(out, "copyright");
    case OptionId::Preset:
      return false;
    case OptionId::Quality:
      if (t.quality_auto) return append(out, "auto");
      return append_number(out, t.quality_pct, 0);
    case OptionId::Rotate:
      return t.rotate_deg != 0 && append_number(out, t.rotate_deg, 0);
    case OptionId::Sharpen:
      return append_number(out, t.sharpen_e2, 2);
    case OptionId::Small:
      return t.small != Small::Ratio && append(out, word_of(t.small));
    case OptionId::Trim:
      return append_number(out, t.trim_threshold, 0);
    case OptionId::Upscale:
      return t.upscale && append(out, "1");
    case OptionId::Version:
      return false;
    case OptionId::Width:
      if (t.width_auto) return append(out, "auto");
      return append_number(out, t.width_px, 0);
  }
  return false;
}

std::optional<std::string> print_option(const Transformation& t, OptionId id) {
  std::string out;
  if (!append_option(out, t, id)) return std::nullopt;
  return out;
}

std::optional<std::string> print_default(const Transformation& t, OptionId id) {
  switch (id) {
    case OptionId::Background:
      return "transparent";  // over white, where the format holds no alpha
    case OptionId::Dpr:
      return "1";
    case OptionId::Format:
      return "auto";
    case OptionId::Fit:
      return t.aspect ? "cover" : "inside";
    case OptionId::Gravity:
      return "c";
    case OptionId::Metadata:
      return "none";
    case OptionId::Quality:
      if (t.format_auto || t.format == Format::JpegOrPng) return std::nullopt;
      return std::to_string(default_quality_pct(t.format));
    case OptionId::Rotate:
    case OptionId::Upscale:
      return "0";
    case OptionId::Small:
      return "ratio";
    default:
      return std::nullopt;
  }
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// Bunny Optimizer's Dynamic Images: "/<source path>?<parameters>",
// "/p/a.jpg?width=400&aspect_ratio=4:3&class=card". Quirks: width and height together are bounds,
// and aspect_ratio cuts before them; crop, face_crop and focus_crop cut a rectangle out before the
// picture is scaled; nothing is enlarged but by upscaling=resampling; the format is negotiated
// unless named; class is a preset, over which what the URL names wins. Pinned by
// spec/vectors/bunny.txt.
#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

// What changes pixels in ways that we cannot, but for one value.
struct Refused {
  std::string_view names, harmless;
};
constexpr Refused kRefused[] = {{"brightness contrast gamma hue saturation sepia tint", "0"},
                                {"auto_optimize watermark", ""}};

// "auto" is a number to set(), and not one here.
Result<> set_number(Ask& ask, OptionId id, std::string_view value, std::string_view name) {
  if (value.find_first_not_of("0123456789") != std::string_view::npos) {
    return bad_option(name, value, "a whole number");
  }
  return set(ask, id, value, name);
}

Result<> set_side(Ask& ask, std::string_view name, std::string_view value) {
  return set_number(ask, name == "width" ? OptionId::Width : OptionId::Height, value, name);
}

// Bunny counts from 0.
Result<> set_quality(Ask& ask, std::string_view name, std::string_view value) {
  return set_number(ask, OptionId::Quality, value == "0" ? "1" : value, name);
}

Result<> set_upscaling(Ask& ask, std::string_view name, std::string_view value) {
  if (!is_among("off resampling", value)) return bad_option(name, value, "off or resampling");
  ask.transformation.upscale = value == "resampling";
  mark(ask, OptionId::Upscale);
  return {};
}

Result<> set_format(Ask& ask, std::string_view name, std::string_view value) {
  if (value == "gif") return unsupported(name, value);
  if (equals_ignoring_case(value, "auto"))
    return bad_option(name, value, "webp, jpeg, png or avif");
  return set(ask, OptionId::Format, value, name);
}

Result<> set_class(Ask& ask, std::string_view name, std::string_view value) {
  return set(ask, OptionId::Preset, value, name);
}

Result<bool> parse_switch(std::string_view name, std::string_view value) {
  if (is_among("true 1", value)) return true;
  if (is_among("false 0", value)) return false;
  return bad_option(name, value, "true or false");
}

// Of both, each mirrors.
Result<> mirror(Ask& ask, std::string_view name, std::string_view value) {
  TRY(bool is_on, parse_switch(name, value));
  Flip& flip = ask.transformation.flip;
  if (is_on && name == "flip") flip = Flip::Vertical;
  if (is_on && name == "flop") flip = flip == Flip::Vertical ? Flip::Both : Flip::Horizontal;
  mark(ask, OptionId::Flip);
  return {};
}

Result<> rotate(Ask& ask, std::string_view name, std::string_view value) {
  if (!is_among("-270 -180 -90 0 90 180 270", value)) {
    return bad_option(name, value, "-270, -180, -90, 0, 90, 180 or 270");
  }
  ask.transformation.rotate_deg = static_cast<std::int16_t>((*parse_int(value) + 360) % 360);
  mark(ask, OptionId::Rotate);
  return {};
}

// Bunny names no sigma: that of libvips' mild sharpening.
constexpr std::int32_t kSharpen_e2 = 50;

Result<> sharpen(Ask& ask, std::string_view name, std::string_view value) {
  TRY(bool is_on, parse_switch(name, value));
  if (is_on) ask.transformation.sharpen_e2 = kSharpen_e2;
  mark(ask, OptionId::Sharpen);
  return {};
}

// Bunny names no scale: 0 to 100 is taken for the sigma.
Result<> blur(Ask& ask, std::string_view name, std::string_view value) {
  auto blur_e2 = parse_fixed(value, 2);
  if (!blur_e2 || *blur_e2 > 10000) return bad_option(name, value, "0 to 100");
  if (*blur_e2 > 0) {
    ask.transformation.blur_e2 = static_cast<std::int32_t>(std::max<std::int64_t>(*blur_e2, 30));
  }
  mark(ask, OptionId::Blur);
  return {};
}

Result<> set_aspect(Ask& ask, std::string_view name, std::string_view value) {
  return value == "auto" ? Result<>() : set(ask, OptionId::AspectRatio, value, name);
}

Result<> set_crop_gravity(Ask& ask, std::string_view name, std::string_view value) {
  if (is_among("center north south east west northeast northwest southeast southwest", value)) {
    return set(ask, OptionId::Gravity, value, name);
  }
  return bad_option(name, value, "center, north, northeast, east and so on");
}

// A side of a rectangle in pixels.
std::optional<std::int32_t> parse_side(std::string_view text, std::int32_t max_px) {
  auto side_px = parse_fixed(text, 0);
  bool is_whole = text.find('.') == std::string_view::npos;
  if (!is_whole || !side_px || *side_px < 1 || *side_px > max_px) return std::nullopt;
  return static_cast<std::int32_t>(*side_px);
}

// Without its place, which would take the size of the source, a rectangle is cut out unscaled.
Result<> cut_out(Ask& ask, std::string_view name, std::string_view value) {
  auto parts = split(value, ',');
  auto width_px = parse_side(parts[0], kMaxSide);
  auto height_px = parts.size() < 2 ? std::nullopt : parse_side(parts[1], kMaxSide);
  if (!width_px || !height_px) return bad_option(name, value, "width,height in pixels");
  Transformation& t = ask.transformation;
  if (t.width_px || t.height_px || t.aspect || t.crop || t.fit == Fit::Cut) {
    return unsupported(name, value);
  }
  t.width_px = width_px;
  t.height_px = height_px;
  mark(ask, OptionId::Width);
  mark(ask, OptionId::Height);
  mark(ask, OptionId::Dpr);
  set_fit(ask, Fit::Cut, t.upscale);
  return {};
}

// "width,height" by crop_gravity, or "width,height,x,y".
Result<> crop(Ask& ask, std::string_view name, std::string_view value) {
  auto commas = std::count(value.begin(), value.end(), ',');
  if (commas == 1) return cut_out(ask, name, value);
  std::string box;
  auto parts = split(value, ',');
  if (commas == 3) {
    for (std::size_t i : {2, 3, 0, 1}) box.append(box.empty() ? "" : ",").append(parts[i]);
  }
  if (value.find_first_not_of("0123456789,") != std::string_view::npos ||
      !set(ask, OptionId::Crop, box, name)) {
    return bad_option(name, value, "width,height or width,height,x,y in pixels");
  }
  return {};
}

// "width,height" around the faces. To see all faces, true, would take knowing their size.
Result<> crop_to_faces(Ask& ask, std::string_view name, std::string_view value) {
  if (is_among("false 0", value)) return {};
  if (is_among("true 1", value)) return unsupported(name, value);
  if (std::count(value.begin(), value.end(), ',') != 1) {
    return bad_option(name, value, "true, false or width,height in pixels");
  }
  TRY(cut_out(ask, name, value));
  set_gravity(ask, Gravity{Gravity::Kind::Smart});
  return {};
}

// "width,height,x,y" around a point in shares of the picture; in pixels the share is not known.
Result<> crop_to_focus(Ask& ask, std::string_view name, std::string_view value) {
  auto parts = split(value, ',');
  auto x_e4 = parts.size() == 4 ? parse_fixed(parts[2], 4) : std::nullopt;
  auto y_e4 = parts.size() == 4 ? parse_fixed(parts[3], 4) : std::nullopt;
  if (!x_e4 || !y_e4) return bad_option(name, value, "width,height,x,y");
  if (*x_e4 > 10000 || *y_e4 > 10000) return unsupported(name, value);
  TRY(cut_out(ask, name, value));
  set_gravity(ask, Gravity{Gravity::Kind::FocalPoint, static_cast<std::int16_t>(*x_e4),
                           static_cast<std::int16_t>(*y_e4)});
  return {};
}

// The sides come first, since a cut by its size leaves no room for them.
struct Handler {
  std::string_view name;
  Result<> (*apply)(Ask&, std::string_view name, std::string_view value);
};
constexpr Handler kHandlers[] = {{"width", set_side},
                                 {"height", set_side},
                                 {"upscaling", set_upscaling},
                                 {"aspect_ratio", set_aspect},
                                 {"crop_gravity", set_crop_gravity},
                                 {"crop", crop},
                                 {"face_crop", crop_to_faces},
                                 {"focus_crop", crop_to_focus},
                                 {"flip", mirror},
                                 {"flop", mirror},
                                 {"rotate", rotate},
                                 {"sharpen", sharpen},
                                 {"blur", blur},
                                 {"quality", set_quality},
                                 {"format", set_format},
                                 {"class", set_class}};

// The tokens of a pull zone, which are not looked at.
constexpr std::string_view kInert =
    "bcdn_token expires token token_countries token_countries_blocked token_path token_ver";

bool is_known(std::string_view name) {
  for (const Handler& handler : kHandlers) {
    if (handler.name == name) return true;
  }
  return is_among(kInert, name);
}

Result<> sort_out(Ask& ask, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    bool is_refusable = false;
    for (const Refused& group : kRefused) {
      if (!is_among(group.names, name)) continue;
      is_refusable = true;
      if (!value.empty() && value != group.harmless) return unsupported(name, value);
    }
    if (!is_refusable && !is_known(name)) ask.unknown.push_back(name);
  }
  return {};
}

// Bounds around what a ratio has cut: the side that binds gives the other.
void settle_ratio(Transformation& t) {
  if (!t.aspect || !t.width_px || !t.height_px) return;
  bool width_binds =
      std::int64_t{*t.width_px} * t.aspect->height <= std::int64_t{*t.height_px} * t.aspect->width;
  (width_binds ? t.height_px : t.width_px).reset();
}

constexpr std::int32_t kDefaultQuality_pct = 85;

// Sets what Bunny does where neither the URL nor the class says otherwise.
void apply_defaults(Ask& ask) {
  Transformation& t = ask.transformation;
  std::uint32_t given = ask.named;
  if ((given & bit_of(OptionId::Quality)) == 0) t.quality_pct = kDefaultQuality_pct;
  if (t.fit != Fit::Cut) t.fit = t.aspect ? Fit::Cover : Fit::Inside;
  for (OptionId id :
       {OptionId::Fit, OptionId::Format, OptionId::Quality, OptionId::Small, OptionId::Upscale}) {
    mark(ask, id);
  }
  bool cuts = t.aspect || t.fit == Fit::Cut;
  ask.yielding = ask.named & ~given & ~(cuts ? bit_of(OptionId::Fit) : 0u);
}

}  // namespace

Result<Ask> parse_bunny(const Request& request) {
  Ask ask;
  ask.site = request.mount.site;
  TRY(ask.source, parse_source(request.path));
  TRY(auto given, parse_parameters(request.query, Plus::IsSpace));
  Parameters parameters;
  for (Parameter& parameter : given) {
    parameters[parameter.name == "output" ? "format" : parameter.name] = std::move(parameter.value);
  }
  TRY(sort_out(ask, parameters));
  for (const Handler& handler : kHandlers) {
    auto value = find(parameters, handler.name);
    if (value != nullptr) TRY(handler.apply(ask, handler.name, *value));
  }
  settle_ratio(ask.transformation);
  apply_defaults(ask);
  return ask;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// imgproxy: <signature>/<option>:<argument>:…/…/plain/<escaped URL>[@<extension>]
//           <signature>/<option>:<argument>:…/…/<URL in URL-safe base64, cut by "/">[.<extension>]
//
//   /unsafe/rs:fill:300:400/q:80/plain/https://cdn.shop.example/front.jpg@webp
//
// Options are no pipeline: the last of two wins, and a preset counts from where it stands. A side
// of 0 is unset; nothing is enlarged unless asked. A gravity's offset of 1 and more is in pixels,
// below 1 a share of the picture; so are the sides of a crop. Percent escapes are undone in each
// segment before it is cut at ":", in a plain URL after it is cut at "@".
#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "dialect/imgproxy_draft.h"
#include "dialect/request.h"
#include "dialect/source_format.h"

namespace tintype {
namespace {

using Kind = Gravity::Kind;
using Anchor = ImgproxyAnchor;
using Draft = ImgproxyDraft;

constexpr std::int64_t kOne_e4 = 10000;

// Takes the options off the front of `rest`; what remains is the source.
Result<> take_options(Draft& draft, std::string_view& rest) {
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find('/'), rest.size());
    TRY(std::string segment, decode(rest.substr(0, end), "option"));
    if (segment.find(':') == std::string::npos) return {};
    TRY(apply_imgproxy_option(draft, segment));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

// ---- Signature and source

// `message`: everything behind the signature, with its slash.
Result<> check_signature(const Mount& mount, std::string_view signature, std::string_view message) {
  if (mount.keys.empty()) return {};
  for (const MountKey& key : mount.keys) {
    std::string mac = hmac_sha256(key.key, key.salt + std::string(message));
    if (equal_in_constant_time(signature, base64_url(mac))) return {};
  }
  return bad_signature();
}

// A source without a scheme is a path below the origin (IMGPROXY_BASE_URL).
Result<> keep_source(Draft& draft, const Mount& mount, std::string url) {
  bool is_absolute = url.starts_with('/') || url.find("://") != std::string::npos;
  if (!is_absolute) url.insert(0, "/");
  TRY(draft.ask.source, source_of_url(mount, url));
  return {};
}

// What stands behind the @ or the dot is the format.
Result<> keep_extension(Draft& draft, const std::vector<std::string_view>& parts) {
  if (parts.size() < 2 || parts[1].empty()) return {};
  return apply_imgproxy_option(draft, "format:" + std::string(parts[1]));
}

Result<> take_source(Draft& draft, const Mount& mount, std::string_view text) {
  if (text.empty()) return fail_public(ErrorCode::NotFound, "the path names no source");
  if (text.starts_with("enc/")) return unsupported("enc", {});
  if (text.starts_with("plain/")) {
    std::vector<std::string_view> parts = split(text.substr(6), '@');
    if (parts.size() > 2) return bad_option("source", text, "a URL with its own @ as %40");
    TRY(keep_extension(draft, parts));
    TRY(auto url, decode(parts[0], "source"));
    return keep_source(draft, mount, std::move(url));
  }
  TRY(std::string joined, decode(text, "source"));
  std::erase(joined, '/');
  std::vector<std::string_view> parts = split(joined, '.');
  auto encoded = decode_base64(parts[0]);
  if (!encoded || parts.size() > 2) {
    return bad_option("source", text, "plain/ and a URL, or a URL in URL-safe base64");
  }
  TRY(keep_extension(draft, parts));
  // A URL, with its own escapes.
  TRY(auto url, decode(*encoded, "source"));
  return keep_source(draft, mount, std::move(url));
}

// ---- From the draft to the Ask

bool has_sides(const Draft& draft) {
  const Transformation& t = draft.ask.transformation;
  return t.width_px || t.height_px || !draft.ask.preset.empty();
}

// What a source smaller than the box comes to. imgproxy lowers the ratio of pixels before it lets
// a side fall short of the box.
Small small_of(const Draft& draft) {
  if (draft.fills_down) return Small::Ratio;
  if (draft.extend.is_on) return Small::Pad;
  return draft.ask.transformation.dpr_e2.value_or(100) > 100 ? Small::Ratio : Small::Cut;
}

// Fill, fill-down and force meet the box unless the source is too small for it.
Result<> check_extensions(const Draft& draft) {
  if (draft.ask.transformation.upscale || draft.fit == Fit::Inside) return {};
  bool fills = draft.fit == Fit::Cover && !draft.fills_down;
  Kind padding = draft.extend.anchor.gravity.kind;
  bool is_elsewhere = padding != Kind::Center && padding != draft.anchor.gravity.kind;
  if (draft.extend.is_on && (!fills || is_elsewhere)) return unsupported("extend", "1");
  if (draft.extend_ratio.is_on && fills) return unsupported("extend_aspect_ratio", "1");
  return {};
}

bool is_cut(const Draft& draft) {
  return draft.crop_width_e4 != 0 || draft.crop_height_e4 != 0;
}

// imgproxy's focal point is one of the turned crop, ours of the upright picture.
Result<> check_gravity(const Draft& draft) {
  const Transformation& t = draft.ask.transformation;
  bool is_moved = t.rotate_deg != 0 || t.flip != Flip::None || is_cut(draft);
  bool is_focal = draft.anchor.gravity.kind == Kind::FocalPoint;
  if (!draft.anchor.has_offset() && !(is_moved && is_focal)) return {};
  return unsupported("gravity", is_focal ? "fp of a turned or cut picture" : "an offset");
}

Result<> settle_fit(Draft& draft) {
  TRY(check_extensions(draft));
  Transformation& t = draft.ask.transformation;
  Anchor anchor = draft.anchor;
  if (draft.fit == Fit::Cover) {
    TRY(check_gravity(draft));
  } else if (draft.fit == Fit::Inside && (draft.extend.is_on || draft.extend_ratio.is_on)) {
    draft.fit = Fit::Pad;
    anchor = draft.extend.is_on ? draft.extend.anchor : draft.extend_ratio.anchor;
    if (!t.background) t.background = Color{0, 0, 0, 0};
    mark(draft.ask, OptionId::Background);
  } else if (draft.fit == Fit::Stretch && t.width_px.has_value() != t.height_px.has_value() &&
             draft.ask.preset.empty()) {
    // The other side would be the source's own.
    return unsupported("resizing_type", "force");
  }
  set_fit(draft.ask, draft.fit, t.upscale);
  set_gravity(draft.ask, anchor.gravity);
  if (draft.fit == Fit::Cover) t.small = small_of(draft);
  mark(draft.ask, OptionId::Small);
  return {};
}

// Without a side dpr multiplies the source's own; where nothing is enlarged, above 1 to no effect.
Result<> check_dpr(const Draft& draft) {
  const Transformation& t = draft.ask.transformation;
  std::int32_t dpr_e2 = t.dpr_e2.value_or(100);
  if (has_sides(draft) || dpr_e2 == 100 || (dpr_e2 > 100 && !t.upscale)) return {};
  return unsupported("dpr", "without width or height");
}

// One axis of a crop.
struct Axis {
  std::int64_t length_e4, offset_e4;
  int pull;
  std::optional<int> focus_e4;
};
struct Span {
  std::int64_t begin, length;
};

// Where it lies in ten-thousandths of the picture; nothing where that takes the picture's size.
std::optional<Span> share_of(const Axis& axis) {
  if (axis.length_e4 == 0) return Span{0, kOne_e4};
  if (axis.length_e4 >= kOne_e4 || std::abs(axis.offset_e4) >= kOne_e4) return std::nullopt;
  std::int64_t room = kOne_e4 - axis.length_e4;
  std::int64_t begin = room / 2 + axis.offset_e4;
  if (axis.pull != 0) begin = axis.pull < 0 ? axis.offset_e4 : room - axis.offset_e4;
  if (axis.focus_e4) begin = *axis.focus_e4 - axis.length_e4 / 2;
  return Span{std::clamp<std::int64_t>(begin, 0, room), axis.length_e4};
}

// The same in pixels.
std::optional<Span> pixels_of(const Axis& axis) {
  if (axis.length_e4 == 0) return Span{0, kImgproxyMaxCrop_px};
  bool counts_pixels = axis.offset_e4 >= 0 && axis.offset_e4 % kOne_e4 == 0;
  if (axis.length_e4 < kOne_e4 || axis.pull >= 0 || !counts_pixels) return std::nullopt;
  return Span{axis.offset_e4 / kOne_e4, axis.length_e4 / kOne_e4};
}

std::optional<CropBox> box_of(std::optional<Span> x, std::optional<Span> y, CropBox::Unit unit) {
  if (!x || !y) return std::nullopt;
  return CropBox{static_cast<std::int32_t>(x->begin), static_cast<std::int32_t>(y->begin),
                 static_cast<std::int32_t>(x->length), static_cast<std::int32_t>(y->length), unit};
}

std::optional<CropBox> crop_box(const Draft& draft, const Anchor& anchor) {
  const Gravity& gravity = anchor.gravity;
  if (gravity.kind == Kind::Smart) return std::nullopt;
  Axis x{draft.crop_width_e4, anchor.offset_x_e4, anchor.pull_x, std::nullopt};
  Axis y{draft.crop_height_e4, anchor.offset_y_e4, anchor.pull_y, std::nullopt};
  if (gravity.kind == Kind::FocalPoint) {
    x.focus_e4 = gravity.x_e4;
    y.focus_e4 = gravity.y_e4;
  }
  auto box = box_of(share_of(x), share_of(y), CropBox::Unit::Percent);
  return box ? box : box_of(pixels_of(x), pixels_of(y), CropBox::Unit::Pixels);
}

// Where nothing is resized, pixels anywhere are cut out by our fit=cut.
bool settle_as_cut(Draft& draft, const Anchor& anchor) {
  Transformation& t = draft.ask.transformation;
  if (has_sides(draft) || anchor.has_offset()) return false;
  for (auto [length_e4, side_px] : {std::pair{draft.crop_width_e4, &t.width_px},
                                    std::pair{draft.crop_height_e4, &t.height_px}}) {
    if (length_e4 > 0 && length_e4 < kOne_e4) return false;
    if (length_e4 == 0) continue;
    *side_px = static_cast<std::int32_t>(std::min<std::int64_t>(length_e4 / kOne_e4, kMaxSide));
  }
  t.dpr_e2.reset();
  // A site's default for one of them would cut another rectangle.
  for (OptionId id : {OptionId::Width, OptionId::Height, OptionId::Dpr}) mark(draft.ask, id);
  set_fit(draft.ask, Fit::Cut, t.upscale);
  set_gravity(draft.ask, anchor.gravity);
  return true;
}

// imgproxy trims before it cuts, and cuts the turned picture; our rectangle is one of the upright
// picture, whose border is trimmed afterwards.
Result<> settle_crop(Draft& draft) {
  if (!is_cut(draft)) return {};
  Transformation& t = draft.ask.transformation;
  const Anchor anchor = draft.crop_anchor.value_or(draft.anchor);
  if (t.rotate_deg == 0 && t.flip == Flip::None && !t.trim_threshold) {
    t.crop = crop_box(draft, anchor);
  }
  if (t.crop || (t.flip == Flip::None && settle_as_cut(draft, anchor))) return {};
  return unsupported("crop", draft.crop);
}

void settle_encoding(Draft& draft) {
  Ask& ask = draft.ask;
  bool has_format = (draft.named & bit_of(OptionId::Format)) != 0;
  if (!has_format) keep_source_format(ask);
  // A preset may choose another format, whose default is not that of this one.
  if (ask.transformation.quality_pct || (!has_format && !ask.preset.empty())) return;
  for (std::size_t i = 0; i < kImgproxyFormats.size(); ++i) {
    if (kImgproxyFormats[i].format != ask.transformation.format) continue;
    std::int32_t asked_pct = draft.format_quality_pct[i];
    ask.transformation.quality_pct = asked_pct > 0 ? asked_pct : kImgproxyFormats[i].quality_pct;
  }
  mark(ask, OptionId::Quality);
}

}  // namespace

Result<Ask> parse_imgproxy(const Request& request) {
  std::size_t slash = std::min(request.path.find('/'), request.path.size());
  TRY(check_signature(request.mount, request.path.substr(0, slash), request.path.substr(slash)));
  Draft draft;
  Ask& ask = draft.ask;
  ask.site = request.mount.site;
  std::string_view rest = request.path.substr(std::min(slash + 1, request.path.size()));
  TRY(take_options(draft, rest));
  TRY(take_source(draft, request.mount, rest));
  TRY(auto parameters, parse_parameters(request.query, Plus::IsSpace));
  for (Parameter& parameter : parameters) ask.unknown.push_back(std::move(parameter.name));
  TRY(check_dpr(draft));
  TRY(settle_fit(draft));
  TRY(settle_crop(draft));
  settle_encoding(draft);
  ask.yielding |= ask.named & ~draft.named;
  return std::move(ask);
}

}  // namespace tintype

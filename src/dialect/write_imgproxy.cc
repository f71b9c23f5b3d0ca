// SPDX-License-Identifier: Apache-2.0
// imgproxy (imgproxy.cc):
// "/<signature>/rs:fill:400:300:1/q:80/plain/https://cdn.example/a.jpg@webp". Without keys the
// signature is "unsafe".
#include "base/signing.h"
#include "base/text.h"
#include "dialect/imgproxy_draft.h"
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "imgproxy";

// Of the same fit and small, el says whether it enlarges and ex whether it pads.
constexpr FitWord kTypes[] = {{Fit::Inside, false, "fit"},
                              {Fit::Pad, false, "fit"},
                              {Fit::Cover, false, "fill-down"},
                              {Fit::Cover, false, "fill", Small::Cut},
                              {Fit::Cover, false, "fill", Small::Pad},
                              {Fit::Cover, true, "fill"},
                              {Fit::Stretch, false, "force"}};

constexpr std::string_view kGravities[] = {"ce",   "no", "noea", "ea", "soea", "so",
                                           "sowe", "we", "nowe", "fp", "sm"};

std::string gravity_text(const Transformation& t) {
  std::string text(word_of(kGravities, t));
  if (text != "fp") return text;
  return text + ":" + fixed_text(t.gravity->x_e4, 4) + ":" + fixed_text(t.gravity->y_e4, 4);
}

std::string side_text(std::optional<std::int32_t> side_px) {
  return fixed_text(side_px.value_or(0), 0);
}

Result<> add_box(Words& options, const Transformation& t) {
  if (!has_side(t)) return {};
  if (t.aspect) return cannot_say(t, OptionId::AspectRatio, kLanguage);
  std::string gravity = gravity_text(t), behind = gravity.empty() ? "" : ":" + gravity;
  if (t.fit == Fit::Cut) {
    options.add("c", side_text(t.width_px) + ":" + side_text(t.height_px) + behind);
    return {};
  }
  const FitWord* type = find_fit(kTypes, t);
  if (type == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  options.add("rs", std::string(type->word) + ":" + side_text(t.width_px) + ":" +
                        side_text(t.height_px) + (t.upscale ? ":1" : ""));
  options.add("dpr", t.dpr_e2, 2);
  if (pads(t)) {
    options.add("ex", "1" + behind);
    return {};
  }
  if (!gravity.empty()) options.add("g", gravity);
  if (!t.upscale && t.fit == Fit::Cover && t.small == Small::Pad) options.add("ex", "1" + behind);
  return {};
}

// All of a side is 0; from the corner where both begin.
void add_rectangle(Words& options, const CropBox& crop) {
  bool is_share = crop.unit == CropBox::Unit::Percent;
  auto text = [&](std::int32_t side) { return fixed_text(side, is_share ? 4 : 0); };
  auto extent = [&](std::int32_t side) { return is_share && side == 10000 ? "0" : text(side); };
  options.add("c", extent(crop.width) + ":" + extent(crop.height) + ":nowe:" + text(crop.x) + ":" +
                       text(crop.y));
}

void add_effects(Words& options, const Transformation& t) {
  if (t.crop) add_rectangle(options, *t.crop);
  options.add("t", t.trim_threshold);
  if (t.rotate_deg != 0) options.add("rot", t.rotate_deg);
  if (t.flip == Flip::Horizontal) options.add("fl", "1:0");
  if (t.background) options.add("bg", hex_text(*t.background).substr(0, 6));
  options.add("bl", t.blur_e2, 2);
  options.add("sh", t.sharpen_e2, 2);
  if (t.keep_metadata == KeepMetadata::Copyright) options.add("kcr", "1");
}

// imgproxy has a quality of its own for each format.
void add_quality(Words& options, const Transformation& t) {
  auto quality_pct = quality_of(t);
  for (const ImgproxyFormat& known : kImgproxyFormats) {
    bool is_default = known.format == t.format && known.quality_pct == quality_pct;
    if (is_default) return;
  }
  options.add("q", quality_pct);
}

}  // namespace

Result<std::string> write_imgproxy(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  Words options(':', '/');
  TRY(add_box(options, t));
  add_effects(options, t);
  add_quality(options, t);
  std::string url = mount.sources.empty() ? "local:///" : mount.sources.front();
  std::string rest = options.is_empty() ? "/" : "/" + options.text() + "/";
  rest += "plain/" + percent_encode(url + ask.source, "/:");
  if (!t.format_auto && !is_source_format(ask)) {
    rest.append("@").append(t.format == Format::Jpeg ? "jpg" : name_of(t.format));
  }
  if (mount.keys.empty()) return below(mount, "unsafe" + rest);
  const MountKey& key = mount.keys.front();
  return below(mount, base64_url(hmac_sha256(key.key, key.salt + rest)) + rest);
}

}  // namespace tintype

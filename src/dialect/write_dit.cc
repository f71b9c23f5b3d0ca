// SPDX-License-Identifier: Apache-2.0
// AWS Dynamic Image Transformation (dit.cc): "/<base64 of {"key":"a.jpg","edits":{…}}>", with
// signature= where the mount has keys. The edits are sharp's, in the order in which AWS takes them.
#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/signing.h"
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "dit";

constexpr FitWord kFits[] = {{Fit::Cover, true, ""},
                             {Fit::Pad, true, "contain"},
                             {Fit::Stretch, true, "fill"},
                             {Fit::Inside, true, "inside"},
                             {Fit::Outside, true, "outside"}};

constexpr std::string_view kGravities[] = {"",          "north", "northeast", "east",
                                           "southeast", "south", "southwest", "west",
                                           "northwest", "",      "attention"};

std::string color_json(Color color) {
  JsonObject out;
  out.field("r", int{color.red}).field("g", int{color.green}).field("b", int{color.blue});
  // Four decimals, which round to the same channel again.
  if (color.alpha != 255) out.raw("alpha", fixed_text((color.alpha * 10000 + 127) / 255, 4));
  return out.str();
}

Result<std::string> resize_json(const Transformation& t) {
  const FitWord* fit = find_fit(kFits, t);
  if (fit == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  JsonObject out;
  if (t.width_px) out.field("width", *t.width_px);
  if (t.height_px) out.field("height", *t.height_px);
  if (!fit->word.empty() && has_box(t)) out.field("fit", fit->word);
  std::string_view gravity = word_of(kGravities, t);
  if (!gravity.empty()) out.field("position", gravity);
  if (pads(t)) out.raw("background", color_json(background_of(t)));
  if (!t.upscale) out.field("withoutEnlargement", true);
  return out.str();
}

void add_crop(JsonObject& edits, const CropBox& crop) {
  if (crop.unit != CropBox::Unit::Pixels) return;
  JsonObject box;
  box.field("left", crop.x).field("top", crop.y);
  box.field("width", crop.width).field("height", crop.height);
  edits.raw("crop", box.str());
}

// A flip comes before the turn, which is the other way round then.
void add_turn(JsonObject& edits, const Transformation& t) {
  bool flops = t.flip == Flip::Horizontal;
  int turn_deg = flops ? (360 - t.rotate_deg) % 360 : t.rotate_deg;
  if (flops) edits.field("flop", true);
  if (turn_deg != 0) edits.field("rotate", turn_deg);
}

void add_effects(JsonObject& edits, const Transformation& t) {
  if (t.trim_threshold) {
    edits.raw("trim", JsonObject().field("threshold", *t.trim_threshold).str());
  }
  if (t.blur_e2) edits.raw("blur", fixed_text(*t.blur_e2, 2));
  if (t.sharpen_e2) edits.raw("sharpen", fixed_text(*t.sharpen_e2, 2));
  if (t.background && !pads(t)) {
    edits.raw("flatten", JsonObject().raw("background", color_json(*t.background)).str());
  }
}

// "webp": {"quality": 80} names the format too.
void add_encoding(JsonObject& edits, const Transformation& t) {
  edits.field("toFormat", name_of(t.format));
  auto quality_pct = quality_of(t);
  if (!quality_pct) return;
  edits.raw(name_of(t.format), JsonObject().field("quality", *quality_pct).str());
}

// Where the mount's first source is a bucket it is named: "s3://bucket/prefix/".
void add_source(JsonObject& request, const Ask& ask, const Mount& mount) {
  constexpr std::string_view kScheme = "s3://";
  std::string_view first = mount.sources.empty() ? std::string_view() : mount.sources.front();
  if (!first.starts_with(kScheme)) {
    request.field("key", ask.source);
    return;
  }
  std::string_view bucket = first.substr(kScheme.size());
  bucket = bucket.substr(0, bucket.find('/'));
  std::string_view prefix =
      first.substr(std::min(first.size(), kScheme.size() + bucket.size() + 1));
  request.field("bucket", bucket).field("key", std::string(prefix) + ask.source);
}

}  // namespace

Result<std::string> write_dit(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  JsonObject request, edits;
  add_source(request, ask, mount);
  if (t.crop) add_crop(edits, *t.crop);
  add_turn(edits, t);
  if (has_side(t)) {
    TRY(std::string resize, resize_json(t));
    edits.raw("resize", resize);
  }
  add_effects(edits, t);
  add_encoding(edits, t);
  request.raw("edits", edits.str());
  std::string path = base64_url(request.str());
  if (mount.keys.empty()) return below(mount, path);
  std::string mac = hex(view_of(hmac_sha256(mount.keys.front().key, "/" + path)));
  return below(mount, path + "?signature=" + mac);
}

}  // namespace tintype

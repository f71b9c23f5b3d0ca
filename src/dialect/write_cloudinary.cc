// SPDX-License-Identifier: Apache-2.0
// Cloudinary (cloudinary.cc):
// "/image/upload/c_fill,g_auto,h_300,w_400/e_sharpen:80/f_auto/v1/p/a.jpg" with s--…-- where the
// mount has keys. A component a step, in the order of our steps.
#include "base/signing.h"
#include "base/text.h"
#include "dialect/words.h"
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "cloudinary";
// Strengths end at 2000, which is a sigma of 20 pixels.
constexpr std::int32_t kMaxStrength = 2000;

constexpr FitWord kModes[] = {
    {Fit::Inside, true, "fit"},    {Fit::Inside, false, "limit"},
    {Fit::Cover, true, "fill"},    {Fit::Cover, false, "lfill", Small::Cut},
    {Fit::Pad, true, "pad"},       {Fit::Pad, false, "lpad"},
    {Fit::Stretch, true, "scale"}, {Fit::Cut, false, "crop"}};

constexpr std::string_view kGravities[] = {"center",     "north",     "north_east", "east",
                                           "south_east", "south",     "south_west", "west",
                                           "north_west", "xy_center", "auto"};

// Components, each with its slash.
struct Chain {
  std::string text;
  void add(const Words& words) {
    if (!words.is_empty()) text += words.text() + "/";
  }
  void add(std::string_view name, std::string_view value) {
    Words words('_', ',');
    words.add(name, value);
    add(words);
  }
};

void add_rectangle(Chain& chain, const CropBox& crop) {
  bool is_share = crop.unit == CropBox::Unit::Percent;
  auto text = [&](std::int32_t side) {
    return is_share ? share_text(side, 4) : fixed_text(side, 0);
  };
  Words words('_', ',');
  words.add("c", "crop");
  words.add("g", "north_west");
  words.add("h", text(crop.height));
  words.add("w", text(crop.width));
  words.add("x", text(crop.x));
  words.add("y", text(crop.y));
  chain.add(words);
}

Result<> add_resize(Chain& chain, const Transformation& t) {
  if (!has_side(t)) return {};
  const FitWord* mode = find_fit(kModes, t);
  if (mode == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  Words words('_', ',');
  if (t.aspect) {
    words.add("ar", fixed_text(t.aspect->width, 0) + ":" + fixed_text(t.aspect->height, 0));
  }
  if (t.background && pads(t)) words.add("b", "rgb:" + hex_text(*t.background));
  words.add("c", mode->word);
  std::string_view gravity = word_of(kGravities, t);
  if (!gravity.empty()) words.add("g", gravity);
  words.add("h", t.height_px);
  if (t.width_auto) words.add("w", "auto");
  words.add("w", t.width_px);
  if (gravity == "xy_center") {
    words.add("x", share_text(t.gravity->x_e4, 4));
    words.add("y", share_text(t.gravity->y_e4, 4));
  }
  chain.add(words);
  return {};
}

void add_turn(Chain& chain, const Transformation& t) {
  bool mirrors = t.flip == Flip::Horizontal;
  if (t.rotate_deg == 0 && !mirrors) return;
  std::string turn = t.rotate_deg == 0 ? "" : fixed_text(t.rotate_deg, 0);
  if (mirrors) turn += turn.empty() ? "hflip" : ".hflip";
  chain.add("a", turn);
}

Result<> add_steps(Chain& chain, const Transformation& t) {
  if (t.crop) add_rectangle(chain, *t.crop);
  if (t.trim_threshold) chain.add("e", "trim:" + fixed_text(*t.trim_threshold, 0));
  add_turn(chain, t);
  TRY(add_resize(chain, t));
  if (t.sharpen_e2) chain.add("e", "sharpen:" + fixed_text(*t.sharpen_e2, 0));
  if (t.blur_e2) {
    if (*t.blur_e2 > kMaxStrength) return cannot_say(t, OptionId::Blur, kLanguage);
    chain.add("e", "blur:" + fixed_text(*t.blur_e2, 0));
  }
  if (t.background && !pads(t)) chain.add("b", "rgb:" + hex_text(*t.background));
  return {};
}

void add_encoding(Chain& chain, const Ask& ask) {
  const Transformation& t = ask.transformation;
  Words words('_', ',');
  if (t.dpr_auto) words.add("dpr", "auto");
  words.add("dpr", t.dpr_e2, 2);
  if (t.format_auto) {
    words.add("f", "auto");
  } else if (!is_source_format(ask)) {
    words.add("f", t.format == Format::Jpeg ? "jpg" : name_of(t.format));
  }
  if (t.keep_metadata == KeepMetadata::Copyright) words.add("fl", "keep_attribution");
  if (t.quality_auto) words.add("q", "auto");
  words.add("q", t.quality_pct);
  chain.add(words);
}

// Where the mount's path does not say it, the delivery type is upload.
std::string place_below(const Mount& mount) {
  for (std::string_view type : {"upload", "fetch", "private", "authenticated"}) {
    if (mount.path.ends_with("/image/" + std::string(type))) return "";
  }
  return "image/upload/";
}

}  // namespace

Result<std::string> write_cloudinary(const Ask& ask, const Mount& mount) {
  Chain chain;
  TRY(add_steps(chain, ask.transformation));
  add_encoding(chain, ask);
  bool is_fetch = mount.path.ends_with("/image/fetch");
  std::string id = is_fetch ? source_address(ask, mount) : ask.source;
  // Clients put v1 before each id that has folders, so that none is taken for a component.
  bool has_folders = !is_fetch && ask.source.find('/') != std::string::npos;
  std::string version = is_digits(ask.version) ? ask.version : has_folders ? "1" : "";
  std::string rest = chain.text;
  if (!version.empty()) rest += "v" + version + "/";
  rest += percent_encode(id, is_fetch ? "/:" : "/");
  if (mount.keys.empty()) return below(mount, place_below(mount) + rest);
  std::string signed_id = is_fetch ? percent_decode(id).value_or(id) : id;
  std::string digest = base64_url(sha1(chain.text + signed_id + mount.keys.front().key));
  return below(mount, place_below(mount) + "s--" + digest.substr(0, 8) + "--/" + rest);
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// AWS Dynamic Image Transformation (Serverless Image Handler, v7), which hands its edits to sharp:
//
//   /<base64 of {"bucket": …, "key": "p/a.jpg", "edits": {"resize": {"width": 300}}}>
//   /fit-in/300x200/filters:quality(80):format(webp)/p/a.jpg     a subset of thumbor's language
//   /p/a.jpg?width=300&height=200&fit=cover&format=webp          beside either of the two
//
// The thumbor subset differs from thumbor: its parts stand anywhere in the path, fit-in enlarges,
// rotate() turns clockwise, a size needs both numbers (0 is unset). Sides in the query replace the
// resize of the path as a whole. Flips come before the turn, which comes before the resize.
// signature= is HMAC-SHA256 in hex of the path and the sorted parameters AWS lets through.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"
#include "dialect/dit_edits.h"
#include "dialect/json_reader.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "dialect/thumbor.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Draft = DitDraft;
using JsonKind = JsonValue::Kind;

// ---- The source

// Where sources are listed, the bucket has to be one of them; else the site's origin is meant.
Result<> keep_source(Draft& draft, const Mount& mount, const std::string& bucket, std::string key) {
  if (!bucket.empty() && !mount.sources.empty()) {
    std::string url = "s3://" + bucket + "/" + key;
    auto prefix =
        std::find_if(mount.sources.begin(), mount.sources.end(),
                     [&](const std::string& allowed) { return url.starts_with(allowed); });
    if (prefix == mount.sources.end()) {
      return fail_public(ErrorCode::Forbidden,
                         "bucket " + shown(bucket) + " is not one of the mount's sources");
    }
    key = url.substr(prefix->size());
  }
  TRY(draft.ask.source, check_source(std::move(key)));
  return {};
}

// ---- The request as JSON

// The decoded path, where it is the base64 of an object.
std::optional<std::string> json_of(std::string_view path) {
  auto text = decode_base64(path);
  if (!text || !trim(*text).starts_with('{')) return std::nullopt;
  return text;
}

// Empty where there is none.
std::string member_text(const JsonValue& json, std::string_view name) {
  const JsonValue* found = json.find(name);
  return found != nullptr && found->is(JsonKind::String) ? found->text : "";
}

Result<> apply_json(Draft& draft, const Mount& mount, std::string_view text) {
  TRY(JsonValue json, read_json(text));
  if (const JsonValue* edits = json.find("edits")) {
    for (std::size_t i = 0; i < edits->names.size(); ++i) {
      TRY(apply_dit_edit(draft, edits->names[i], edits->items[i]));
    }
  }
  std::string format = member_text(json, "outputFormat");
  if (!format.empty()) draft.output_format = std::move(format);
  for (const std::string& name : json.names) {
    if (is_among("bucket key edits outputFormat headers effort", name)) continue;
    draft.ask.unknown.push_back(name);
  }
  return keep_source(draft, mount, member_text(json, "bucket"), member_text(json, "key"));
}

// ---- The request as thumbor writes it

// A number as an edit: hundredths as text.
JsonValue number_of(std::int64_t hundredths) {
  std::string text;
  append_fixed(text, hundredths, 2);
  return dit_text(text);
}

Result<> apply_blur(Draft& draft, const ThumborFilter& filter) {
  if (!filter.arg(1).empty()) return apply_dit_edit(draft, "blur", dit_text(filter.arg(1)));
  constexpr std::int32_t kMaxRadius_e2 = 20000;
  TRY(std::int32_t radius_e2, parse_hundredths("blur", filter.arg(0), kMaxRadius_e2));
  return apply_dit_edit(draft, "blur", number_of(radius_e2 / 2));
}

Result<> apply_sharpen(Draft& draft, const ThumborFilter& filter) {
  constexpr std::int32_t kMaxRadius_e2 = 1800;
  TRY(std::int32_t radius_e2, parse_hundredths("sharpen", filter.arg(1), kMaxRadius_e2));
  return apply_dit_edit(draft, "sharpen", number_of(100 + radius_e2 / 2));
}

Result<> apply_fill(Draft& draft, const ThumborFilter& filter) {
  TRY(draft.resize.background, parse_thumbor_color(filter.name, filter.arg(0)));
  draft.resize.fit = Fit::Pad;
  return {};
}

Result<> apply_background(Draft& draft, const ThumborFilter& filter) {
  TRY(draft.ask.transformation.background, parse_thumbor_color(filter.name, filter.arg(0)));
  mark(draft.ask, OptionId::Background);
  return {};
}

Result<> apply_quality(Draft& draft, const ThumborFilter& filter) {
  return keep_dit_quality(draft, "", filter.text);
}

Result<> apply_format(Draft& draft, const ThumborFilter& filter) {
  return apply_dit_edit(draft, "toFormat", dit_text(filter.text));
}

Result<> apply_autojpg(Draft& draft, const ThumborFilter&) {
  return apply_dit_edit(draft, "toFormat", dit_text("jpeg"));
}

Result<> apply_rotate(Draft& draft, const ThumborFilter& filter) {
  return apply_dit_edit(draft, "rotate", dit_text(filter.text));
}

Result<> apply_no_upscale(Draft& draft, const ThumborFilter&) {
  draft.resize.without_enlargement = true;
  return {};
}

Result<> apply_upscale(Draft& draft, const ThumborFilter&) {
  draft.resize.fit = Fit::Inside;
  return {};
}

Result<> apply_stretch(Draft& draft, const ThumborFilter&) {
  if (draft.resize.fit != Fit::Inside) draft.resize.fit = Fit::Stretch;
  return {};
}

constexpr struct {
  std::string_view name;
  Result<> (*apply)(Draft&, const ThumborFilter&);
} kFilters[] = {{"quality", apply_quality}, {"format", apply_format},
                {"fill", apply_fill},       {"background_color", apply_background},
                {"blur", apply_blur},       {"sharpen", apply_sharpen},
                {"rotate", apply_rotate},   {"autojpg", apply_autojpg},
                {"upscale", apply_upscale}, {"no_upscale", apply_no_upscale},
                {"stretch", apply_stretch}};

Result<> apply_filter(Draft& draft, const ThumborFilter& filter) {
  if (is_among("strip_exif strip_icc animated", filter.name)) return {};
  if (is_among("convolution equalize grayscale proportion rgb smart_crop watermark", filter.name)) {
    return unsupported(filter.name, filter.text);
  }
  for (const auto& known : kFilters) {
    if (known.name == filter.name) return known.apply(draft, filter);
  }
  draft.ask.unknown.emplace_back(filter.name);
  return {};
}

// AWS sorts filters by their text before it goes through them.
Result<> apply_filters(Draft& draft, std::string_view path) {
  std::vector<ThumborFilter> filters;
  for (std::string_view segment : split(path, '/')) {
    if (!segment.starts_with("filters:")) continue;
    for (ThumborFilter& filter : split_thumbor_filters(segment.substr(8))) {
      filters.push_back(std::move(filter));
    }
  }
  std::stable_sort(filters.begin(), filters.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const ThumborFilter& filter : filters) TRY(apply_filter(draft, filter));
  return {};
}

bool is_size(std::string_view segment) {
  std::size_t x = segment.find('x');
  return x != std::string_view::npos && is_digits(segment.substr(0, x)) &&
         is_digits(segment.substr(x + 1));
}

// Both numbers, of which 0 is unset, and then nothing is cut.
Result<> apply_size(Draft& draft, std::string_view segment) {
  std::size_t x = segment.find('x');
  TRY(apply_dit_resize(draft, "width", dit_text(segment.substr(0, x))));
  TRY(apply_dit_resize(draft, "height", dit_text(segment.substr(x + 1))));
  if (!draft.resize.width_px || !draft.resize.height_px) draft.resize.fit = Fit::Inside;
  return {};
}

// Of several sizes and crops the first counts, and none is part of the key.
Result<> apply_path(Draft& draft, const Mount& mount, std::string_view path) {
  std::string key, bucket;
  bool has_size = false, has_crop = false, fits_in = false;
  std::vector<std::string_view> segments = split(path, '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    std::string_view segment = segments[i];
    bool is_last = i + 1 == segments.size();
    if (segment.starts_with("filters:")) continue;
    if (!is_last && segment == "fit-in") {
      fits_in = true;
    } else if (!is_last && is_size(segment)) {
      if (!std::exchange(has_size, true)) TRY(apply_size(draft, segment));
    } else if (!is_last && is_thumbor_crop(segment)) {
      if (std::exchange(has_crop, true)) continue;
      TRY(draft.ask.transformation.crop, parse_thumbor_crop(segment));
      mark(draft.ask, OptionId::Crop);
    } else if (segment.starts_with("s3:") && !mount.sources.empty()) {
      bucket = segment.substr(3);
    } else {
      key.append(key.empty() ? "" : "/").append(segment);
    }
  }
  if (fits_in) draft.resize.fit = Fit::Inside;
  TRY(apply_filters(draft, path));
  return keep_source(draft, mount, bucket, std::move(key));
}

// ---- Query and signature

// The last of two wins.
Result<Parameters> read_query(std::string_view query) {
  TRY(auto all, parse_parameters(query, Plus::IsSpace));
  Parameters parameters;
  for (Parameter& one : all) parameters[std::move(one.name)] = std::move(one.value);
  return parameters;
}

Result<> check_signature(const Request& request, const Parameters& parameters) {
  if (request.mount.keys.empty()) return {};
  std::string message = "/" + std::string(request.path);
  char joint = '?';
  for (const auto& [name, value] : parameters) {
    if (name == "signature") continue;
    // Values are signed as they read, so that one may not hold what joins them; and nothing may act
    // that is not signed.
    bool is_signed = is_among("expires format fit width height rotate flip flop grayscale", name);
    bool acts = is_among("quality greyscale", name) || name.starts_with("resize.") ||
                name.starts_with("smartCrop");
    if (acts || (is_signed && value.find_first_of("&=?") != std::string::npos)) {
      return bad_signature();
    }
    if (!is_signed) continue;
    message.append(1, joint).append(name).append("=").append(value);
    joint = '&';
  }
  auto signature = parameters.find("signature");
  if (signature == parameters.end()) return bad_signature();
  for (const MountKey& key : request.mount.keys) {
    std::string mac = hex(view_of(hmac_sha256(key.key, message)));
    if (equal_in_constant_time(signature->second, mac)) return {};
  }
  return bad_signature();
}

// Sides and fit of the query replace the resize of the path, members that they do not name too.
Result<> apply_query(Draft& draft, const Parameters& parameters) {
  bool has_resize = false;
  for (const auto& [full_name, text] : parameters) {
    std::string_view name = full_name;
    JsonValue value = dit_text(text);
    if (name.starts_with("resize.")) name.remove_prefix(7);
    if (name == "width" || name == "height" || name == "fit") {
      if (!std::exchange(has_resize, true)) draft.resize = {};
      TRY(apply_dit_resize(draft, name, value));
    } else if (name == "format") {
      TRY(apply_dit_edit(draft, "toFormat", value));
    } else if (name == "quality") {
      TRY(keep_dit_quality(draft, "", text));
    } else if (is_among("rotate flip flop grayscale greyscale", name)) {
      TRY(apply_dit_edit(draft, name, dit_text(lower(text))));
    } else if (name == "expires" || name.starts_with("smartCrop")) {
      return unsupported(name, text);
    } else if (name != "signature") {
      draft.ask.unknown.push_back(full_name);
    }
  }
  return {};
}

// ---- From the draft to the Ask

// Mirrored, then turned, as we turn and mirror afterwards.
void settle_turn(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  constexpr Flip kFlips[2][2] = {{Flip::None, Flip::Vertical}, {Flip::Horizontal, Flip::Both}};
  t.flip = kFlips[draft.flop][draft.flip];
  bool mirrors_once = draft.flip != draft.flop;
  t.rotate_deg =
      static_cast<std::int16_t>(mirrors_once ? (360 - draft.turn_deg) % 360 : draft.turn_deg);
  mark(draft.ask, OptionId::Flip);
  mark(draft.ask, OptionId::Rotate);
}

void settle_resize(Draft& draft) {
  Ask& ask = draft.ask;
  const DitResize& resize = draft.resize;
  ask.transformation.width_px = resize.width_px;
  ask.transformation.height_px = resize.height_px;
  if (resize.width_px) mark(ask, OptionId::Width);
  if (resize.height_px) mark(ask, OptionId::Height);
  set_fit(ask, resize.fit, !resize.without_enlargement);
  set_gravity(ask, resize.gravity);
  if (resize.fit == Fit::Cover) ask.transformation.small = Small::Cut;
  mark(ask, OptionId::Small);
  if (resize.fit == Fit::Pad && resize.width_px && resize.height_px) {
    ask.transformation.background = resize.background;
    mark(ask, OptionId::Background);
  }
}

// sharp's defaults.
constexpr struct {
  std::string_view word;
  Format format;
  std::int32_t quality_pct;
} kFormats[] = {{"jpeg", Format::Jpeg, 80},
                {"png", Format::Png, 80},
                {"webp", Format::Webp, 80},
                {"avif", Format::Avif, 50}};

Result<> settle_format(Draft& draft) {
  std::string_view word = draft.to_format.empty() ? draft.output_format : draft.to_format;
  if (word.empty()) {
    keep_source_format(draft.ask);
    return {};
  }
  if (is_among("gif tiff tif heif heic raw svg", word)) return unsupported("format", word);
  if (equals_ignoring_case(word, "auto"))
    return bad_option("format", word, "jpeg, png, webp or avif");
  return set(draft.ask, OptionId::Format, word, "format");
}

void settle_quality(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  for (const auto& known : kFormats) {
    if (known.format != t.format) continue;
    auto asked = draft.quality_pct.find(known.word);
    if (asked == draft.quality_pct.end()) asked = draft.quality_pct.find("");
    t.quality_pct = asked == draft.quality_pct.end() ? known.quality_pct : asked->second;
  }
  mark(draft.ask, OptionId::Quality);
}

}  // namespace

Result<Ask> parse_dit(const Request& request) {
  Draft draft;
  draft.ask.site = request.mount.site;
  TRY(Parameters parameters, read_query(request.query));
  TRY(check_signature(request, parameters));
  TRY(std::string path, decode(request.path, "path"));
  if (auto json = json_of(path)) {
    TRY(apply_json(draft, request.mount, *json));
  } else {
    TRY(apply_path(draft, request.mount, path));
  }
  TRY(apply_query(draft, parameters));
  const Transformation& t = draft.ask.transformation;
  if (t.trim_threshold && t.crop) return unsupported("trim", "with a crop");
  settle_turn(draft);
  settle_resize(draft);
  TRY(settle_format(draft));
  settle_quality(draft);
  return std::move(draft.ask);
}

}  // namespace tintype

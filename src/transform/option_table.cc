// SPDX-License-Identifier: Apache-2.0
#include "transform/option_table.h"

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace tintype {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kAspectNames[] = {"aspect", "aspect-ratio"};
constexpr std::string_view kBackgroundNames[] = {"background"};
constexpr std::string_view kFormatNames[] = {"format", "fm"};
constexpr std::string_view kGravityNames[] = {"gravity"};
constexpr std::string_view kHeightNames[] = {"height"};
constexpr std::string_view kMetadataNames[] = {"metadata"};
constexpr std::string_view kPresetNames[] = {"preset"};
constexpr std::string_view kQualityNames[] = {"quality"};
constexpr std::string_view kRotateNames[] = {"rotate"};
constexpr std::string_view kSharpenNames[] = {"sharpen"};
constexpr std::string_view kUpscaleNames[] = {"upscale", "enlarge"};
constexpr std::string_view kVersionNames[] = {"version"};
constexpr std::string_view kWidthNames[] = {"width"};

constexpr std::string_view kTokenAllowed = "1 to 64 of A-Z a-z 0-9 - . ~";

// The limits named here are those that option_value.cc holds; option_table_test.cc compares both
// with spec/options.json.
constexpr std::array<OptionSpec, kOptionCount> kTable = {{
    {OptionId::AspectRatio, "ar", kAspectNames,
     "width:height such as 16:9, or a decimal such as 1.5 (each side 1 to 10000 once reduced)", "",
     "Aspect ratio: gives the missing one of w and h; with neither, the picture is cut to it.",
     "w=800&ar=16:9"},
    {OptionId::Background, "bg", kBackgroundNames,
     "3, 4, 6 or 8 hexadecimal digits, one of the 16 basic CSS colour names, or transparent",
     "white for JPEG, else transparent",
     "Colour of the padding, and what transparent pixels are laid over.",
     "w=400&h=400&fit=pad&bg=f4f4f4"},
    {OptionId::Blur, "blur", Names{}, "0.3 to 100 (sigma in pixels of the result)", "",
     "Gaussian blur.", "blur=5"},
    {OptionId::Crop, "crop", Names{},
     "x,y,width,height: whole pixels 0 to 65535, or percent such as 10p,10p,80p,80p", "",
     "Takes this rectangle of the upright source before anything else.", "crop=100,50,800,600"},
    {OptionId::Dpr, "dpr", Names{}, "0.1 to 8, or auto", "1",
     "Device pixel ratio: multiplies w and h. Without them it has no effect. auto takes the "
     "screen's.",
     "w=400&dpr=2"},
    {OptionId::Format, "f", kFormatNames, "auto, avif, webp, jpeg, png or jpng", "auto",
     "Format of the result; auto takes the best one that the client accepts, jpng is JPEG, or PNG "
     "for a source with an alpha channel.",
     "f=webp"},
    {OptionId::Fit, "fit", Names{}, "inside, pad, cover, stretch, outside or cut",
     "inside; cover where ar takes effect", "How the box of w and h is met.",
     "w=400&h=400&fit=cover"},
    {OptionId::Flip, "flip", Names{}, "h, v or hv", "",
     "Mirrors left-right (h), top-bottom (v) or both, after rot.", "flip=h"},
    {OptionId::Gravity, "g", kGravityNames,
     "c, n, ne, e, se, s, sw, w, nw, a word such as top or bottom-left, smart, or a focal point "
     "such "
     "as fp-0.5-0.3",
     "c", "What stays in sight when fit=cover cuts, and where fit=pad puts the picture.",
     "w=400&h=400&fit=cover&g=n"},
    {OptionId::Height, "h", kHeightNames, "1 to 16383 (pixels)", "", "Height of the box.", "h=600"},
    {OptionId::Metadata, "meta", kMetadataNames, "none or copyright", "none",
     "What is kept of the source's metadata; copyright keeps EXIF Copyright and Artist.",
     "meta=copyright"},
    {OptionId::Preset, "p", kPresetNames, kTokenAllowed, "",
     "A named set of options from the site's policy; options named beside it win.", "p=thumb"},
    {OptionId::Quality, "q", kQualityNames, "1 to 100, or auto", "80; 60 for AVIF",
     "Quality of a lossy format. PNG ignores it. auto is lower on slow networks.", "q=70"},
    {OptionId::Rotate, "rot", kRotateNames,
     "0, 90, 180 or 270 (degrees clockwise; also -90 and 360)", "0",
     "Turns the picture after its EXIF orientation has been applied.", "rot=90"},
    {OptionId::Sharpen, "sharp", kSharpenNames, "0.1 to 10 (sigma in pixels of the result)", "",
     "Unsharp mask, after resizing.", "w=400&sharp=0.8"},
    {OptionId::Small, "small", Names{}, "ratio, cut, keep or pad", "ratio",
     "What fit=cover does with a source smaller than the box, without up: keeps the box's ratio, "
     "cuts "
     "only what exceeds it, keeps it whole, or pads it to the box.",
     "w=4000&h=3000&fit=cover&small=pad"},
    {OptionId::Trim, "trim", Names{}, "1 to 100 (colour distance), or empty for 10", "",
     "Cuts off a border of one colour; the number is the distance that still counts as border.",
     "trim=10"},
    {OptionId::Upscale, "up", kUpscaleNames, "0, 1, true, false, or empty for 1", "0",
     "Allows a result larger than the source.", "w=2000&up=1"},
    {OptionId::Version, "v", kVersionNames, kTokenAllowed, "",
     "Version of the source, an opaque word: a new one makes a new path.", "v=17"},
    {OptionId::Width, "w", kWidthNames, "1 to 16383 (pixels), or auto", "",
     "Width of the box. auto takes the width the picture is laid out at.", "w=800"},
}};

struct NamedOption {
  std::string_view name;
  OptionId id = OptionId::AspectRatio;
};

constexpr std::size_t count_names() {
  std::size_t count = 0;
  for (const OptionSpec& spec : kTable) count += 1 + spec.aliases.size();
  return count;
}

// All names and aliases, grouped by their first letter, and where each letter's group begins: a
// name is found by comparing it with the two to four that share its first letter.
struct NameIndex {
  std::array<NamedOption, count_names()> names;
  std::array<std::uint8_t, 27> begin{};
};

constexpr NameIndex index_names() {
  NameIndex index;
  std::size_t next = 0;
  for (int letter = 0; letter < 26; ++letter) {
    index.begin[static_cast<std::size_t>(letter)] = static_cast<std::uint8_t>(next);
    for (const OptionSpec& spec : kTable) {
      if (spec.name[0] == 'a' + letter) index.names[next++] = {spec.name, spec.id};
      for (std::string_view alias : spec.aliases) {
        if (alias[0] == 'a' + letter) index.names[next++] = {alias, spec.id};
      }
    }
  }
  index.begin[26] = static_cast<std::uint8_t>(next);
  return index;
}

constexpr NameIndex kIndex = index_names();

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '~';
}

const OptionSpec& spec_of(OptionId id) {
  return kTable[static_cast<std::size_t>(id)];
}

// Long enough to recognise one's own value, short enough for a log line.
constexpr int kMaxShownCharacters = 60;
constexpr std::size_t kMaxTokenBytes = 64;

}  // namespace

std::span<const OptionSpec> option_table() {
  return kTable;
}

const OptionSpec* find_option(std::string_view name) {
  if (name.empty()) return nullptr;
  int letter = lower(name[0]) - 'a';
  if (letter < 0 || letter >= 26) return nullptr;
  for (std::size_t i = kIndex.begin[static_cast<std::size_t>(letter)];
       i < kIndex.begin[static_cast<std::size_t>(letter) + 1]; ++i) {
    if (equals_ignoring_case(name, kIndex.names[i].name)) return &spec_of(kIndex.names[i].id);
  }
  return nullptr;
}

Result<std::string> parse_token(OptionId id, std::string_view value) {
  bool is_allowed = !value.empty() && value.size() <= kMaxTokenBytes;
  for (char c : value) is_allowed = is_allowed && is_token_char(c);
  if (!is_allowed) return bad_value(id, value);
  return std::string(value);
}

Failure bad_value(OptionId id, std::string_view value) {
  const OptionSpec& spec = spec_of(id);
  std::string detail(spec.name);
  detail += '=';
  detail += shown(value);
  detail += ": must be ";
  detail += spec.allowed;
  return fail_public(ErrorCode::BadRequest, std::move(detail), std::string(spec.name));
}

std::string shown(std::string_view text) {
  std::string out;
  int characters = 0;
  bool is_valid = is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    bool continues = is_valid && (c & 0xC0) == 0x80;
    if (!continues && ++characters > kMaxShownCharacters) return out + "...";
    // C1 controls (U+0080 to U+009F) are C2 80 to C2 9F.
    bool is_c1 = is_valid && c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F || is_c1 || (c >= 0x80 && !is_valid)) {
      out += '?';
      if (is_c1) ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// What the writers of URLs (write.h) share. Each is one file with one function of the form
//
//   Result<std::string> write_imgix(const Ask& ask, const Mount& mount);
//
// `ask` is simple: what no client can change is settled already (dpr and a ratio beside a side are
// in the sides, a flip is one left-right behind the turn, what has no effect is gone, an absent
// quality or background is the format's default). Only auto stands as it was asked, and a dpr of 1
// or a gravity in the middle where it has to be said. A writer may leave out what its language
// cannot say; write_target sees to it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dialect/mount.h"
#include "transform/ask.h"
#include "transform/option_table.h"

namespace tintype {

Result<std::string> write_bunny(const Ask& ask, const Mount& mount);
Result<std::string> write_cloudflare(const Ask& ask, const Mount& mount);
Result<std::string> write_cloudinary(const Ask& ask, const Mount& mount);
Result<std::string> write_dit(const Ask& ask, const Mount& mount);
Result<std::string> write_fastly(const Ask& ask, const Mount& mount);
Result<std::string> write_imgix(const Ask& ask, const Mount& mount);
Result<std::string> write_imgproxy(const Ask& ask, const Mount& mount);
Result<std::string> write_ipx(const Ask& ask, const Mount& mount);
Result<std::string> write_native(const Ask& ask, const Mount& mount);
Result<std::string> write_netlify(const Ask& ask, const Mount& mount);
Result<std::string> write_next(const Ask& ask, const Mount& mount);
Result<std::string> write_scene7(const Ask& ask, const Mount& mount);
Result<std::string> write_thumbor(const Ask& ask, const Mount& mount);
Result<std::string> write_vercel(const Ask& ask, const Mount& mount);
Result<std::string> write_weserv(const Ask& ask, const Mount& mount);

// UnsupportedOption: "small=pad: cannot be said in ipx", or "w: that there is none cannot be said
// …".
[[nodiscard]] Failure cannot_say(const Transformation& t, OptionId id, std::string_view language);

// Names and values in a row: "w=400&fit=max", "c_fill,w_400".
class Words {
 public:
  Words(char equals, char between) : equals_(equals), between_(between) {}
  // The value is percent-encoded, but for ",:/".
  void add(std::string_view name, std::string_view value);
  // A number with this many decimals; nothing where there is none.
  void add(std::string_view name, std::optional<std::int64_t> number, int decimals = 0);
  // A word without a value.
  void add_flag(std::string_view name);
  const std::string& text() const { return text_; }
  bool is_empty() const { return text_.empty(); }

 private:
  std::string text_;
  char equals_, between_;
};

// Width, height and ratio in a row, under a vendor's names for the sides.
void add_sides(Words& query, const Transformation& t, std::string_view width = "w",
               std::string_view height = "h");

// The shortest text: 50 with two decimals is "0.5".
std::string fixed_text(std::int64_t value, int decimals);
// The same with a point always: 100 with two decimals is "1.0". Many languages take it for a share.
std::string share_text(std::int64_t value, int decimals);

// A vendor's word for a fit. The first row that is wholly right is taken, else the first of the
// same fit.
struct FitWord {
  Fit fit;
  bool upscale;
  std::string_view word;
  Small small = Small::Ratio;
};
const FitWord* find_fit(std::span<const FitWord> words, const Transformation& t);

// By Gravity::Kind; empty: the vendor has none. Nothing where no gravity has to be said.
using GravityWords = std::span<const std::string_view, 11>;
std::string_view word_of(GravityWords words, const Transformation& t);

inline bool has_box(const Transformation& t) {
  return t.width_px && t.height_px;
}
inline bool has_side(const Transformation& t) {
  return t.width_px || t.height_px || t.width_auto || t.aspect;
}
// Whether the picture is padded.
inline bool pads(const Transformation& t) {
  return t.fit == Fit::Pad && (has_box(t) || t.aspect || t.width_auto);
}
// The quality as a number: as asked, or the default of a format that is decided. Nothing for PNG,
// and where it is auto or left to a format that is not decided.
std::optional<std::int64_t> quality_of(const Transformation& t);
// Whether a language that keeps the source's format need not be told.
bool is_source_format(const Ask& ask);
// What the background comes to: as asked, or white for JPEG and transparent else.
Color background_of(const Transformation& t);
// Whether it must be named in a language that pads with white.
inline bool names_background(const Transformation& t) {
  return t.background || (pads(t) && background_of(t) != kWhite);
}
// "f4f4f4" or "f4f4f480"; `alpha_first`: "80f4f4f4".
std::string hex_text(Color color, bool alpha_first = false);
// The EXIF number (1 to 8) of a turn and a flip left-right behind it.
int exif_number(const Transformation& t);

// The source in a path: percent-encoded, but for '/'.
std::string encoded_source(const Ask& ask);
// The source as an address below the first of the mount's sources, with escapes; "/a.jpg" where the
// mount has none.
std::string source_address(const Ask& ask, const Mount& mount);
// "4:3", reduced.
std::string ratio_text(std::int32_t width, std::int32_t height);
// The source below the mount, the query behind it.
std::string with_query(const Ask& ask, const Mount& mount, const Words& query);
// What stands behind the mount's path.
std::string below(const Mount& mount, std::string_view rest);

}  // namespace tintype

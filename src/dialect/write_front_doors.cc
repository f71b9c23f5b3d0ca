// SPDX-License-Identifier: Apache-2.0
// The web frameworks' optimizers (front_doors.cc): "/_next/image?url=/a.jpg&w=640&q=75",
// "/.netlify/images?url=/a.jpg&w=400&h=300&fit=cover".
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::int64_t kDefaultQuality_pct = 75;

// Everything is in the query; the path is the mount's and no longer.
std::string door(const Mount& mount, const Words& query) {
  return mount.path + "?" + query.text();
}

void add_quality(Words& query, const Transformation& t) {
  auto quality_pct = quality_of(t);
  if (quality_pct != kDefaultQuality_pct) query.add("q", quality_pct);
}

// A width is all that can be said beside the quality.
Result<std::string> write_optimizer(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  if (!t.width_px) return cannot_say(t, OptionId::Width, name_of(mount.dialect));
  Words query('=', '&');
  query.add("url", source_address(ask, mount));
  query.add("w", t.width_px);
  add_quality(query, t);
  return door(mount, query);
}

// ---- Netlify

// All three enlarge.
constexpr FitWord kFits[] = {
    {Fit::Inside, true, ""}, {Fit::Cover, true, "cover"}, {Fit::Stretch, true, "fill"}};

constexpr std::string_view kPositions[] = {"", "top",  "", "right", "", "bottom",
                                           "", "left", "", "",      ""};

Result<> add_box(Words& query, const Transformation& t) {
  if (!has_side(t)) return {};
  add_sides(query, t);
  const FitWord* fit = find_fit(kFits, t);
  if (fit == nullptr) return cannot_say(t, OptionId::Fit, "netlify");
  if (!fit->word.empty()) query.add("fit", fit->word);
  std::string_view position = word_of(kPositions, t);
  if (!position.empty()) query.add("position", position);
  return {};
}

}  // namespace

Result<std::string> write_next(const Ask& ask, const Mount& mount) {
  return write_optimizer(ask, mount);
}

Result<std::string> write_vercel(const Ask& ask, const Mount& mount) {
  return write_optimizer(ask, mount);
}

Result<std::string> write_netlify(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  Words query('=', '&');
  query.add("url", source_address(ask, mount));
  TRY(add_box(query, t));
  if (!t.format_auto) query.add("fm", t.format == Format::Jpeg ? "jpg" : name_of(t.format));
  add_quality(query, t);
  return door(mount, query);
}

}  // namespace tintype

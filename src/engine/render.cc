// SPDX-License-Identifier: Apache-2.0
#include "engine/render.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>
#include <utility>

#include "engine/reference/steps.h"

namespace tintype {
namespace {

std::int64_t microseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               start)
      .count();
}

bool holds_any(const std::string& text, std::initializer_list<const char*> signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](const char* sign) { return text.find(sign) != text.npos; });
}

// Until its pixels are in memory, a failure is the source's. What libvips says goes to the log
// only; the public reason is one of ours.
template <class T>
Result<T> blame_source(Result<T> result) {
  if (result || result.error().code != ErrorCode::Internal) return result;
  const std::string& text = result.error().message;
  if (holds_any(text, {"not supported", "unsupported"})) {
    return fail(Error{ErrorCode::Unsupported,
                      text,
                      "the source picture uses a feature of its format that is not supported",
                      {}});
  }
  const bool ends_early = holds_any(
      text, {"remature end", "read error", "runcated", "nexpected end", "nd of file", "EOF"});
  const char* reason = ends_early ? "it ends too early" : "it cannot be decoded";
  return fail(
      Error{ErrorCode::Corrupt, text, std::string("the source picture is damaged: ") + reason, {}});
}

struct Fetched {
  Plan plan;  // planned again where the border was trimmed
  Picture picture;
};

Result<Fetched> fetch(const Plan& asked, ByteView source, const PlanLimits& limits) {
  Plan plan = asked;
  TRY(Opened opened, blame_source(open_source(plan, source)));
  if (plan.trim_threshold) {
    TRY(const Rect trimmed, blame_source(find_border(opened, plan)));
    TRY(plan, plan_trimmed(plan, trimmed, limits));
  }
  TRY(Picture picture, blame_source(resample(opened, plan)));
  return Fetched{plan, std::move(picture)};
}

Result<Picture> finish(Picture picture, const Plan& plan) {
  TRY(picture, to_srgb(picture));
  if (plan.crop_smart) {
    // It is read twice.
    TRY(picture, picture.in_memory());
    TRY(picture, crop_by_content(picture, plan));
  }
  TRY(picture, sharpen_and_blur(std::move(picture), plan));
  TRY(picture, flatten(std::move(picture), plan));
  return pad(std::move(picture), plan);
}

Result<Rendered> render_steps(const Plan& asked, ByteView source, const PlanLimits& limits) {
  const auto start = std::chrono::steady_clock::now();
  TRY(Fetched fetched, fetch(asked, source, limits));
  const std::int64_t decode_us = microseconds_since(start);

  const auto fetched_at = std::chrono::steady_clock::now();
  TRY(Picture picture, finish(std::move(fetched.picture), fetched.plan));
  if (picture.size() != fetched.plan.variant_size()) {
    return fail_private(ErrorCode::Internal, "the variant is not of the planned size");
  }
  TRY(Bytes bytes, encode(picture, fetched.plan.encode));
  return Rendered{.bytes = std::move(bytes),
                  .size = picture.size(),
                  .has_alpha = picture.has_alpha(),
                  .decode_us = decode_us,
                  .encode_us = microseconds_since(fetched_at)};
}

}  // namespace

Result<Rendered> render(const Plan& plan, ByteView source, const PlanLimits& limits) {
  auto rendered = render_steps(plan, source, limits);
  // A decoder may have left a text behind even where it went on; the next render must not report
  // it.
  vips_error_clear();
  return rendered;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// The size that a plan promises is the size that comes out, over generated requests.
#include <iterator>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/pictures_testing.h"

namespace tintype {
namespace {

using namespace testing;

template <class T>
std::optional<T> maybe(rc::Gen<T> gen) {
  if (*rc::gen::element(0, 1) == 0) return std::nullopt;
  return *std::move(gen);
}

Transformation any_transformation() {
  Transformation t = to(*rc::gen::element(Format::Jpeg, Format::Png, Format::Webp));
  const auto side = rc::gen::oneOf(rc::gen::inRange(1, 8), rc::gen::inRange(1, 200));
  t.width_px = maybe<std::int32_t>(side);
  t.height_px = maybe<std::int32_t>(side);
  t.fit = *rc::gen::element(Fit::Inside, Fit::Pad, Fit::Cover, Fit::Stretch, Fit::Outside);
  t.upscale = *rc::gen::arbitrary<bool>();
  t.gravity = Gravity{static_cast<Gravity::Kind>(*rc::gen::inRange(0, 11)), 3000, 9000};
  if (*rc::gen::element(0, 1, 2) == 0) {
    t.crop = CropBox{*rc::gen::inRange(0, 60), *rc::gen::inRange(0, 40), *rc::gen::inRange(1, 100),
                     *rc::gen::inRange(1, 100)};
  }
  t.rotate_deg = *rc::gen::element<std::int16_t>(0, 90, 180, 270);
  t.flip = *rc::gen::element(Flip::None, Flip::Horizontal, Flip::Vertical, Flip::Both);
  t.trim_threshold = *rc::gen::element(0, 1, 2) == 0 ? std::optional(20) : std::nullopt;
  t.sharpen_e2 = *rc::gen::element(0, 1, 2, 3) == 0 ? std::optional(80) : std::nullopt;
  t.blur_e2 = *rc::gen::element(0, 1, 2, 3) == 0 ? std::optional(120) : std::nullopt;
  return t;
}

std::vector<Bytes> make_sources() {
  Pixels cut_out({97, 61}, 4);
  cut_out.fill({20, 10, 50, 40}, {200, 30, 30, 255});
  Pixels grey({63, 80}, 1);
  grey.fill({9, 9, 30, 30}, {200});
  auto turned = [](VipsImage* image) { vips_image_set_int(image, VIPS_META_ORIENTATION, 6); };
  return {stored_as(Format::Jpeg, quadrants({333, 221})),
          stored_as(Format::Jpeg, quadrants({129, 77}), turned),
          stored_as(Format::Png, cut_out),
          stored_as(Format::Jpeg, grey),
          stored_as(Format::Webp, quadrants({61, 42})),
          stored_as(Format::Gif, quadrants({70, 70}))};
}

RC_GTEST_PROP(RenderProperty, SizeIsAsPlanned, ()) {
  static const std::vector<Bytes> sources = make_sources();
  const Bytes& source = sources[*rc::gen::inRange<std::size_t>(0, 100) % sources.size()];
  const Transformation t = any_transformation();
  const auto planned = plan(t, sniff(source).value(), {});
  RC_PRE(planned.has_value());
  const auto variant = render(*planned, source, {});
  if (!variant) RC_FAIL(variant.error().message + "\n" + describe(*planned));
  const Size found = sniff(variant->bytes)->stored;
  RC_ASSERT(variant->size == found);
  if (planned->is_size_exact) {
    RC_ASSERT(found == planned->variant_size());
  } else {
    RC_ASSERT(found.width_px <= planned->canvas.width_px);
    RC_ASSERT(found.height_px <= planned->canvas.height_px);
  }
}

}  // namespace
}  // namespace tintype

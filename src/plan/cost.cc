// SPDX-License-Identifier: Apache-2.0
#include "plan/cost.h"

#include <algorithm>
#include <cstdint>

namespace tintype {
namespace {

constexpr double kMega = 1e6;

double megapixels(Size size) {
  return static_cast<double>(size.pixels()) / kMega;
}

Size decoded_size(const Plan& plan) {
  const Size stored = plan.source.stored;
  return {(stored.width_px + plan.shrink - 1) / plan.shrink,
          (stored.height_px + plan.shrink - 1) / plan.shrink};
}

// CPU milliseconds for a megapixel of the source (docs/internals/figures.md F-decode): baseline
// JPEG 38 ms for 24 MP, and 12 MP of 4:2:2 41 ms; progressive 47 to 53 ms for 12 MP; PNG 38 to 52
// ms for 4.7 MP; lossy WebP 30 ms for 12 MP, lossless 359 ms for 16.8 MP. AVIF and HEIC: 0.4
// and 1.4 MP by the reference runner, 60 to 70 ms a MP (halved as below). GIF and TIFF are guesses
// on the safe side.
double decode_ms_per_mp(const Plan& plan) {
  const ImageInfo& source = plan.source;
  switch (source.format) {
    case Format::Jpeg:
      // Three quarters of a baseline decode is entropy decoding, which shrinking does not save.
      if (source.is_progressive) return 4.4;
      return plan.shrink == 1 ? 2.5 : 2.0;
    case Format::Png:
      return 10.0;
    case Format::Webp:
      return source.is_lossless ? 20.0 : 3.0;
    case Format::Avif:
    case Format::Heic:
      return 60.0;
    case Format::Gif:
      return 10.0;
    case Format::Tiff:
      return 6.0;
    case Format::Svg:
    case Format::JpegOrPng:
      break;
  }
  return 20.0;
}

// Resampling reads every decoded pixel once and writes the result. From the reference runner
// (libvips 8.14 without its run-time code generator) on 1.9 MP of JPEG and 4.7 MP of PNG with
// alpha, which is premultiplied in floating point; a loaded two-core machine, its figures halved.
constexpr double kResampleMsPerMpRead = 5.0;
constexpr double kResampleAlphaMsPerMpRead = 20.0;
constexpr double kResampleMsPerMpWritten = 6.0;
// Colour conversion, flattening and copying of the result; likewise measured.
constexpr double kFinishMsPerMp = 4.0;
constexpr double kIccMsPerMp = 15.0;
constexpr double kSharpenMsPerMp = 80.0;

// JPEG 4.2 ms and WebP method 2 26 ms for 0.85 MP; AVIF speed 8 147 ms for 0.87 MP; PNG with every
// filter tried 135 ms for 0.85 MP by the reference runner, halved as above
// (docs/internals/figures.md F-encode).
double encode_ms_per_mp(Format format) {
  switch (format) {
    case Format::Jpeg:
      return 5.0;
    case Format::Webp:
      return 35.0;
    case Format::Avif:
      return 170.0;
    default:
      return 150.0;
  }
}

double estimate_weight(const Plan& plan) {
  // A fixed part for opening, tables and threads keeps floods of tiny pictures countable.
  double weight = 1.5;
  weight += megapixels(plan.source.stored) * decode_ms_per_mp(plan);
  const double read_ms = plan.source.has_alpha ? kResampleAlphaMsPerMpRead : kResampleMsPerMpRead;
  weight += megapixels(decoded_size(plan)) * read_ms;
  const Size result = plan.result_crop.size();
  weight += megapixels(result) * (kResampleMsPerMpWritten + kFinishMsPerMp);
  if (plan.source.has_icc) weight += megapixels(result) * kIccMsPerMp;
  // A Gaussian is separable: its cost grows with its radius, about three sigma (hundredths).
  if (plan.blur_e2) weight += megapixels(result) * (5.0 + *plan.blur_e2 / 100.0);
  if (plan.sharpen_e2) weight += megapixels(result) * kSharpenMsPerMp;
  if (plan.crop_smart) weight += 10.0;
  if (plan.trim_threshold) weight += megapixels(plan.source.stored) * 6.0;
  return weight + megapixels(plan.canvas) * encode_ms_per_mp(plan.encode.format);
}

// Decoders hold the whole picture, or, where they stream, a band of rows.
std::int64_t decode_bytes(const Plan& plan) {
  const ImageInfo& source = plan.source;
  const Size decoded = decoded_size(plan);
  const std::int64_t bytes_per_pixel = 4 * (source.bits > 8 ? 2 : 1);
  // libvips' sequential readers keep a few hundred rows behind the reader.
  const std::int64_t band = std::int64_t{decoded.width_px} * bytes_per_pixel * 512;
  const std::int64_t whole = decoded.pixels() * bytes_per_pixel;
  switch (source.format) {
    case Format::Jpeg: {
      if (!source.is_progressive) return std::min(band, whole);
      // Two bytes a coefficient, all components: 3 B/px for 4:2:0, 6 for 4:4:4 (F-memory).
      const int chroma_area = std::max(1, source.chroma_x * source.chroma_y);
      return std::min(band, whole) +
             source.stored.pixels() * (2 + (4 + chroma_area - 1) / chroma_area);
    }
    case Format::Png:
      return source.is_progressive ? whole : std::min(band, whole);
    case Format::Webp:
      return whole + source.stored.pixels() * 2;
    case Format::Avif:
    case Format::Heic:
      return whole + source.stored.pixels() * 6;
    default:
      return whole + std::min(band, whole);
  }
}

std::int64_t encode_bytes_per_pixel(Format format) {
  switch (format) {
    case Format::Jpeg:
      return 6;
    case Format::Webp:
      return 14;
    case Format::Avif:
      return 45;  // 28 to 38 MB for 0.85 MP (F-memory)
    default:
      return 10;
  }
}

std::int64_t estimate_peak_bytes(const Plan& plan) {
  constexpr std::int64_t kFixedBytes = 4'000'000;
  std::int64_t peak = kFixedBytes + decode_bytes(plan);
  // Finding the border needs every pixel at once.
  if (plan.trim_threshold) peak += decoded_size(plan).pixels() * 8;
  peak += (plan.crop_smart ? plan.resized.pixels() : plan.result_crop.size().pixels()) * 8;
  return peak + plan.canvas.pixels() * encode_bytes_per_pixel(plan.encode.format);
}

}  // namespace

Cost estimate(const Plan& plan) {
  return {.weight = estimate_weight(plan), .peak_bytes = estimate_peak_bytes(plan)};
}

}  // namespace tintype

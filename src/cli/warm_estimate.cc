// SPDX-License-Identifier: Apache-2.0
#include "cli/warm_estimate.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "delivery/naming.h"
#include "delivery/standard_variants.h"
#include "plan/plan.h"
#include "replay/quantity.h"

namespace tintype {
namespace {

// Bytes a pixel of a variant at default quality. WebP and AVIF: a shop photograph of 0.85 MP is 117
// and 77 KB (docs/internals/figures.md F-webp, F-avif). JPEG and PNG: by judgement.
double bytes_per_pixel(Format format) {
  switch (format) {
    case Format::Avif:
      return 0.09;
    case Format::Webp:
      return 0.14;
    case Format::Png:
      return 1.5;
    default:
      return 0.2;
  }
}

struct Share {
  double cpu_ms = 0, size_bytes = 0;
  std::string format;
};

Share share_of(const WarmPlan& order, const StandardVariant& variant, Size source) {
  ImageInfo info;
  info.format = Format::Jpeg;
  info.stored = source;
  info.color_model = ColorModel::YCbCr;
  info.chroma_x = info.chroma_y = 2;
  Format asked =
      variant.settled.format == Format::JpegOrPng ? Format::Jpeg : variant.settled.format;
  Share share{.format = std::string(name_of(asked))};
  auto planned = plan(variant.settled, info, limits_of(order.site));
  if (!planned) return share;
  share.cpu_ms = planned->cost.weight;
  share.size_bytes = static_cast<double>(planned->variant_size().pixels()) * bytes_per_pixel(asked);
  return share;
}

// The options of a path are the same for thousands of sources.
std::string options_of(const std::string& path) {
  return path.substr(path.rfind("/_/"));
}

std::string money(double dollars) {
  return "$" + format_decimal(dollars, dollars < 10 ? 4 : 2);
}

std::string duration(double seconds) {
  if (seconds < 120) return format_decimal(seconds, 0) + " s";
  if (seconds < 7'200) return format_decimal(seconds / 60, 0) + " min";
  return format_decimal(seconds / 3'600, 1) + " h";
}

}  // namespace

WarmEstimate estimate_warm(const WarmPlan& order, const WarmAssumption& assumption) {
  WarmEstimate estimate;
  std::unordered_map<std::string, Share> shares;
  for (const std::string& source : order.sources) {
    ++estimate.sources;
    auto variants = standard_variants(order.site, {source, order.presets, order.accepts});
    if (!variants) {
      ++estimate.impossible;
      continue;
    }
    for (const StandardVariant& variant : *variants) {
      std::string options = options_of(variant.path);
      auto share = shares.find(options);
      if (share == shares.end()) {
        share = shares.emplace(options, share_of(order, variant, assumption.source)).first;
      }
      ++estimate.variants;
      ++estimate.by_format[share->second.format];
      estimate.cpu_seconds += share->second.cpu_ms / 1'000;
      estimate.size_bytes += share->second.size_bytes;
    }
  }
  estimate.requests = estimate.variants * (order.each_server ? order.servers.size() : 1);
  return estimate;
}

std::string describe(const WarmEstimate& e, const WarmPlan& order, const WarmPrices& prices) {
  std::string formats;
  for (const auto& [format, count] : e.by_format) {
    formats += (formats.empty() ? "" : ", ") + grouped(count) + " " + format;
  }
  double requests = static_cast<double>(e.requests);
  std::string out = grouped(e.sources) + " sources x " + std::to_string(order.presets.size()) +
                    " presets: " + grouped(e.variants) + " variants (" + formats + ")\n";
  if (e.impossible > 0) out += grouped(e.impossible) + " sources have none\n";
  out += "requests       " + grouped(e.requests) + ", at " +
         format_decimal(order.rate_per_second, 2) + " a second " +
         duration(requests / order.rate_per_second) + "\n";
  out += "CPU            about " + duration(e.cpu_seconds) +
         " of one core, if none is there already and sources are 12 MP photographs\n";
  out += "bytes          about " + human_bytes(static_cast<std::uint64_t>(e.size_bytes)) + "\n";
  auto line = [&out](const char* name, std::optional<double> price, double amount) {
    if (price) out += std::string(name) + money(*price * amount) + "\n";
  };
  line("CPU            ", prices.cpu_hour, e.cpu_seconds / 3'600);
  line("storage, month ", prices.gb_stored_month, e.size_bytes / 1e9);
  line("writes         ", prices.million_puts, static_cast<double>(e.variants) / 1e6);
  line("requests       ", prices.million_requests, requests / 1e6);
  return out;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// The optimizers of the web frameworks' hosts: one path, everything in the query.
//
//   /_next/image?url=%2Fimages%2Ffront.jpg&w=640&q=75                 Next.js
//   /_vercel/image?url=%2Fimages%2Ffront.jpg&w=640&q=75               Vercel
//   /.netlify/images?url=/images/front.jpg&w=400&h=300&fit=cover      Netlify
//
// `url` is an absolute path or an absolute URL with escapes of its own, which are left when the
// query's are undone. Next and Vercel need w, take nothing twice and never enlarge; Netlify's three
// fits all enlarge. All choose the format by Accept and have no signatures: a mount with keys lets
// nothing through. Pinned by spec/vectors/next.txt, vercel.txt and netlify.txt.
#include <optional>

#include "base/text.h"
#include "dialect/request.h"

namespace tintype {
namespace {

// Of all three.
constexpr std::int32_t kDefaultQuality_pct = 75;

// The path is the mount's and no longer; what the doors have in common is filled in.
Result<Ask> open_door(const Request& request) {
  if (!request.mount.keys.empty()) return bad_signature();
  if (!request.path.empty()) {
    return fail_public(ErrorCode::NotFound, "nothing is served below " + request.mount.path);
  }
  Ask ask;
  ask.site = request.mount.site;
  set_fit(ask, Fit::Inside, false);
  ask.transformation.quality_pct = kDefaultQuality_pct;
  mark(ask, OptionId::Quality);
  mark(ask, OptionId::Format);
  mark(ask, OptionId::Small);
  set_gravity(ask, {});
  return ask;
}

// Undoes the escapes of the address itself, which is decoded as a query's value already. A '%' that
// begins none stands for itself.
Result<std::string> parse_url(const Mount& mount, std::string_view url) {
  bool is_path = url.starts_with('/') && !url.starts_with("//");
  if (!is_path && !url.starts_with("https://") && !url.starts_with("http://")) {
    return bad_option("url", url, "a path such as /a.jpg or an address with http or https");
  }
  TRY(auto path, source_of_url(mount, url));
  auto source = percent_decode(path);
  return check_source(source ? std::move(*source) : std::move(path));
}

Result<> apply_side(Ask& ask, OptionId id, const Parameter& side) {
  // Our own word, not theirs.
  if (equals_ignoring_case(side.value, "auto")) {
    return bad_option(side.name, side.value, "1 to 16383 (pixels)");
  }
  return set(ask, id, side.value, side.name);
}

Result<> apply_quality(Ask& ask, const Parameter& quality) {
  auto quality_pct = parse_int(quality.value);
  if (!quality_pct || *quality_pct < 1 || *quality_pct > 100) {
    return bad_option(quality.name, quality.value, "1 to 100");
  }
  ask.transformation.quality_pct = static_cast<std::int32_t>(*quality_pct);
  return {};
}

[[nodiscard]] Failure missing(std::string_view name) {
  return fail_public(ErrorCode::BadRequest, std::string(name) + " is required", std::string(name));
}

struct OptimizerQuery {
  std::optional<Parameter> url, width, quality;
};

// `dpl` names the deployment that a page comes from, so that caches tell them apart.
Result<OptimizerQuery> read_optimizer_query(const Request& request, Ask& ask) {
  TRY(auto parameters, parse_parameters(request.query, Plus::IsSpace));
  OptimizerQuery query;
  for (Parameter& parameter : parameters) {
    std::optional<Parameter>* field = parameter.name == "url" ? &query.url
                                      : parameter.name == "w" ? &query.width
                                      : parameter.name == "q" ? &query.quality
                                                              : nullptr;
    if (field == nullptr) {
      if (parameter.name != "dpl") ask.unknown.push_back(std::move(parameter.name));
      continue;
    }
    if (*field) return bad_option(parameter.name, parameter.value, "given once");
    *field = std::move(parameter);
  }
  return query;
}

Result<Ask> parse_optimizer(const Request& request) {
  TRY(auto ask, open_door(request));
  TRY(auto query, read_optimizer_query(request, ask));
  if (!query.url || query.url->value.empty()) return missing("url");
  TRY(ask.source, parse_url(request.mount, query.url->value));
  if (!query.width) return missing("w");
  TRY(apply_side(ask, OptionId::Width, *query.width));
  if (query.quality) TRY(apply_quality(ask, *query.quality));
  return ask;
}

// ---- Netlify

constexpr struct {
  std::string_view word;
  Fit fit;
} kFits[] = {{"contain", Fit::Inside}, {"cover", Fit::Cover}, {"fill", Fit::Stretch}};

constexpr struct {
  std::string_view word;
  Gravity::Kind kind;
} kPositions[] = {{"center", Gravity::Kind::Center},
                  {"top", Gravity::Kind::North},
                  {"bottom", Gravity::Kind::South},
                  {"left", Gravity::Kind::West},
                  {"right", Gravity::Kind::East}};

Result<> apply_fit(Ask& ask, const Parameter& fit) {
  for (const auto& known : kFits) {
    if (known.word != fit.value) continue;
    set_fit(ask, known.fit, true);
    return {};
  }
  return bad_option(fit.name, fit.value, "contain, cover or fill");
}

Result<> apply_position(Ask& ask, const Parameter& position) {
  for (const auto& known : kPositions) {
    if (known.word != position.value) continue;
    set_gravity(ask, {known.kind});
    return {};
  }
  return bad_option(position.name, position.value, "top, bottom, left, right or center");
}

Result<> apply_format(Ask& ask, const Parameter& format) {
  if (format.value == "gif" || format.value == "blurhash") {
    return unsupported(format.name, format.value);
  }
  for (std::string_view known : {"avif", "webp", "jpg", "jpeg", "png"}) {
    if (known == format.value) return set(ask, OptionId::Format, known, format.name);
  }
  return bad_option(format.name, format.value, "avif, webp, jpg or png");
}

Result<> apply_netlify(Ask& ask, const Parameter& parameter) {
  std::string_view name = parameter.name;
  if (name == "w" || name == "width") return apply_side(ask, OptionId::Width, parameter);
  if (name == "h" || name == "height") return apply_side(ask, OptionId::Height, parameter);
  if (name == "q" || name == "quality") return apply_quality(ask, parameter);
  if (name == "fit") return apply_fit(ask, parameter);
  if (name == "position") return apply_position(ask, parameter);
  if (name == "fm") return apply_format(ask, parameter);
  ask.unknown.emplace_back(name);
  return {};
}

}  // namespace

Result<Ask> parse_next(const Request& request) {
  return parse_optimizer(request);
}

Result<Ask> parse_vercel(const Request& request) {
  return parse_optimizer(request);
}

Result<Ask> parse_netlify(const Request& request) {
  TRY(auto ask, open_door(request));
  set_fit(ask, Fit::Inside, true);
  TRY(auto parameters, parse_parameters(request.query, Plus::IsSpace));
  std::string url;
  for (const Parameter& parameter : parameters) {
    if (parameter.name == "url") {
      url = parameter.value;
    } else {
      TRY(apply_netlify(ask, parameter));
    }
  }
  if (url.empty()) return missing("url");
  // "owl.jpeg" is the site's, as "/owl.jpeg" is.
  if (!url.starts_with('/') && url.find("://") == std::string::npos) url.insert(0, 1, '/');
  TRY(ask.source, parse_url(request.mount, url));
  return ask;
}

}  // namespace tintype

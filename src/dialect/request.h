// SPDX-License-Identifier: Apache-2.0
// What the dialects' parsers share: the request as they get it, and the tools to read it. Each
// dialect is one file with one function of the form
//
//   Result<Ask> parse_imgix(const Request& request);
//
// Rules for all of them: text is percent-decoded once, before it is split at a vendor's separators;
// a value that is wrong is a BadRequest that names the vendor's option, the value and what is
// allowed; what the vendor has and we cannot do is `unsupported`, never ignored; what cannot change
// a pixel here (metadata that is stripped anyway, progressive scans, cache busters) is accepted
// without effect; names that even the vendor does not know go to Ask::unknown. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/signing.h"
#include "dialect/mount.h"
#include "transform/ask.h"
#include "transform/option_table.h"

namespace tintype {

struct Request {
  std::string_view path;   // behind the mount point, as received, no leading slash
  std::string_view query;  // behind the '?', as received; empty: none
  const Mount& mount;
};

// ---- One parser a dialect. All return an Ask whose site is the mount's.
Result<Ask> parse_bunny(const Request& request);
Result<Ask> parse_cloudflare(const Request& request);
Result<Ask> parse_cloudinary(const Request& request);
Result<Ask> parse_dit(const Request& request);
Result<Ask> parse_fastly(const Request& request);
Result<Ask> parse_imgix(const Request& request);
Result<Ask> parse_imgproxy(const Request& request);
Result<Ask> parse_ipx(const Request& request);
Result<Ask> parse_native(const Request& request);
Result<Ask> parse_netlify(const Request& request);
Result<Ask> parse_next(const Request& request);
Result<Ask> parse_scene7(const Request& request);
Result<Ask> parse_thumbor(const Request& request);
Result<Ask> parse_vercel(const Request& request);
Result<Ask> parse_weserv(const Request& request);

// ---- Failures
// BadRequest: "wid=9x: must be 1 to 16383 (pixels)", with `name` as the option at fault.
[[nodiscard]] Failure bad_option(std::string_view name, std::string_view value,
                                 std::string_view allowed);
// UnsupportedOption: "mark=logo.png: not supported yet".
[[nodiscard]] Failure unsupported(std::string_view name, std::string_view value);
// Forbidden: the signature is missing or wrong.
[[nodiscard]] Failure bad_signature();

// ---- Reading
struct Parameter {
  std::string name, value;  // decoded
  bool has_value = false;   // there was a '='
};
enum class Plus : std::uint8_t { IsSpace, IsPlus };
// "a=1&b=%2C" in the order of the text, empty parts left out. Fails with BadRequest on a malformed
// escape in a name or value.
Result<std::vector<Parameter>> parse_parameters(std::string_view query, Plus plus);
// Percent-decodes; BadRequest naming `name` on a malformed escape.
Result<std::string> decode(std::string_view text, std::string_view name);

// The source that a path names: decoded once, then checked (UTF-8, no controls, no backslash, no
// empty segment, no "." and ".."). Fails with BadRequest, or with NotFound when it is empty.
Result<std::string> parse_source(std::string_view raw);
// The same for text that is decoded already.
Result<std::string> check_source(std::string source);
// The source that an absolute URL ("https://cdn.shop.example/a.jpg") or an absolute path ("/a.jpg",
// "local:///a.jpg") names, decoded already by the dialect's own rules; a query of the URL is not
// part of it. Fails with Forbidden when no prefix of the mount's sources matches.
Result<std::string> source_of_url(const Mount& mount, std::string_view url);

// ---- Writing into the Ask
// Parses `value` by the rules of our own option `id` and marks it as named by the request; a value
// that is not allowed is reported under the vendor's `name`. For numbers, formats, colours and
// whatever else the vendor spells as we do. Never for f=jpng, a word that no vendor has.
Result<> set(Ask& ask, OptionId id, std::string_view value, std::string_view name);
// Marks an option as named when a dialect has filled its field itself.
inline void mark(Ask& ask, OptionId id) {
  ask.named |= bit_of(id);
}
inline void set_fit(Ask& ask, Fit fit, bool upscale) {
  ask.transformation.fit = fit;
  ask.transformation.upscale = upscale;
  mark(ask, OptionId::Fit);
  mark(ask, OptionId::Upscale);
}
inline void set_gravity(Ask& ask, Gravity gravity) {
  ask.transformation.gravity = gravity;
  mark(ask, OptionId::Gravity);
}

}  // namespace tintype

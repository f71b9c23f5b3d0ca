// SPDX-License-Identifier: Apache-2.0
// Any bytes as a target (first line) and an Accept field (the rest). Whatever is understood must
// have one name: its canonical path, parsed again, is the same picture under the same path.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"
#include "transform/settle.h"

namespace {

using namespace tintype;

// Longer targets never reach parse_target.
constexpr std::size_t kMaxInputBytes = 16 * 1024;

void require(bool holds, const char* what, std::string_view path) {
  if (holds) return;
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(path.size()), path.data());
  std::abort();
}

bool is_plain(std::string_view text) {
  return percent_encode(text) == text;
}

void require_error_is_clean(const Error& error, bool is_native) {
  bool is_of_request = error.code == ErrorCode::BadRequest || error.code == ErrorCode::NotFound;
  bool is_of_vendor =
      error.code == ErrorCode::UnsupportedOption || error.code == ErrorCode::Forbidden;
  require(is_of_request || (!is_native && is_of_vendor), "code", error.detail);
  require(is_utf8(error.detail) && !error.detail.empty(), "detail is not text", error.detail);
  for (char c : error.detail) require(c >= 0x20 || c < 0, "control character", error.detail);
  if (!is_native) return;  // the vendor's options are not ours
  require(error.option.empty() || find_option(error.option) != nullptr, "option", error.option);
}

void require_one_name(const Ask& ask, const Transformation& settled) {
  std::string path = canonical_path(ask, settled);
  require(path.starts_with(source_path(ask.site, ask.source) + "/_/"), "prefix", path);
  require(is_plain(path.substr(path.rfind('/') + 1)), "alphabet", path);
  auto again = parse_target(path);
  require(again.has_value(), "not understood", path);
  require(again->is_canonical && again->site == ask.site && again->source == ask.source &&
              again->version == ask.version && again->transformation == settled,
          "understood otherwise", path);
  auto settled_again = settle(*again, {.accept = "image/avif"}, {});
  require(settled_again.has_value() && *settled_again == settled, "settled otherwise", path);
  require(canonical_path(*again, *settled_again) == path, "printed otherwise", path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInputBytes) return 0;
  std::string_view text = text_of({data, size});
  // A first byte below the number of dialects is the dialect that is mounted at "/".
  std::vector<Mount> mounts;
  if (size > 0 && data[0] < dialect_names().size()) {
    mounts.push_back({.path = "/",
                      .dialect = static_cast<Dialect>(data[0]),
                      .site = "shop",
                      .keys = {},
                      .sources = {"https://x.example/"}});
    text.remove_prefix(1);
  }
  std::size_t line_end = std::min(text.find('\n'), text.size());
  std::string_view accept = text.substr(std::min(line_end + 1, text.size()));
  auto ask = parse_target(text.substr(0, line_end), mounts);
  if (!ask) {
    require_error_is_clean(ask.error(), mounts.empty());
    return 0;
  }
  static constexpr Format kOrder[] = {Format::Avif, Format::Webp};
  auto settled = settle(*ask, {.accept = accept}, kOrder);
  if (!settled) {
    require_error_is_clean(settled.error(), mounts.empty());
    return 0;
  }
  // A preset is expanded by the policy; what is left of the request still has one name.
  require_one_name(*ask, *settled);
  return 0;
}

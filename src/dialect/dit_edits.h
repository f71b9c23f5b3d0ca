// SPDX-License-Identifier: Apache-2.0
// DitDraft: what a request to AWS' Dynamic Image Transformation says, in the words of its edits,
// which are sharp's. Filled edit by edit by dit_edits.cc, whether they come as JSON, in a path or
// in a query; made into an Ask by dit.cc. Plain values; a draft belongs to one request.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dialect/json_reader.h"
#include "transform/ask.h"

namespace tintype {

struct DitResize {
  std::optional<std::int32_t> width_px, height_px;
  Fit fit = Fit::Cover;
  bool without_enlargement = false;
  Color background{0, 0, 0, 255};  // of the padding
  Gravity gravity;
};

struct DitDraft {
  Ask ask;
  DitResize resize;
  std::int64_t turn_deg = 0;        // clockwise, 0 to 270
  bool flip = false, flop = false;  // top-bottom, left-right
  std::string to_format, output_format;
  std::map<std::string, std::int32_t, std::less<>> quality_pct;  // by format; "": of any
};

// A text of a path or query as a value.
inline JsonValue dit_text(std::string_view text) {
  return {.kind = JsonValue::Kind::String, .text = std::string(text), .items = {}, .names = {}};
}
// null, false, and the texts "", "0" and "false": the edit is not asked for.
bool is_dit_off(const JsonValue& value);

// One edit ("rotate", "resize", "webp"). Fails with BadRequest on a wrong value, with
// UnsupportedOption on what we cannot do; names that sharp does not know are kept as unknown.
Result<> apply_dit_edit(DitDraft& draft, std::string_view name, const JsonValue& value);
// One member of the edit "resize"; fails likewise.
Result<> apply_dit_resize(DitDraft& draft, std::string_view name, const JsonValue& value);
Result<> keep_dit_quality(DitDraft& draft, std::string_view format, std::string_view value);

}  // namespace tintype

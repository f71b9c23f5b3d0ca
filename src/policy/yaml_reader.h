// SPDX-License-Identifier: Apache-2.0
// YamlReader: a cursor into a YAML text that remembers lines and refuses what it was not asked for.
// The only place that includes yaml-cpp; main/ reads the server's own settings through it too.
// Keys given twice, a second document, nesting deeper than 32 and texts above 4 MB or 200,000
// values are refused; anchors and aliases are understood, merge keys ("<<") are not. Cheap to copy;
// immutable.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tintype {

class YamlReader {
 public:
  // Fails with BadRequest "line N: …" when the text is not YAML.
  static Result<YamlReader> parse(const std::string& text);
  // A single value, taken as it stands: nothing in it is YAML. For environment variables.
  static YamlReader scalar(std::string text);

  bool is_map() const;
  bool is_list() const;
  bool is_scalar() const;
  bool is_null() const;
  int line() const;          // 1-based
  std::string path() const;  // "sites.shop.origin"

  // Child of a map, or nothing.
  std::optional<YamlReader> child(std::string_view key) const;
  std::vector<std::string> keys() const;
  std::vector<YamlReader> items() const;

  Result<std::string> as_text() const;
  Result<bool> as_bool() const;
  // Fails naming field, value and range when outside [min, max].
  Result<std::int64_t> as_int(std::int64_t min, std::int64_t max) const;
  // "10s", "500ms", "5m", "2h", "30d" or a bare number of seconds -> milliseconds.
  Result<std::int64_t> as_duration_ms() const;
  // "512MB", "20 GB", "64KiB" or a bare number of bytes.
  Result<std::int64_t> as_size_bytes() const;

  // Fails naming the first key of this map (with its line) that is not in `known`, and what is.
  Result<> refuse_others(std::initializer_list<std::string_view> known) const;
  // An error at this place: "line N: <path>: <text>".
  Error error(std::string_view text) const;

 private:
  struct Node;
  std::shared_ptr<const Node> node_;
};

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// JsonObject and JsonArray: append-only builders for the JSON we write (explain, health, problem
// documents). Reading JSON is not done in product code. They own their text; a builder belongs to
// one thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"

namespace tintype {

class JsonObject {
 public:
  JsonObject& field(std::string_view name, std::string_view text) {
    return raw(name, json_string(text));
  }
  JsonObject& field(std::string_view name, const char* text) {
    return field(name, std::string_view(text));
  }
  template <std::integral N>
  JsonObject& field(std::string_view name, N number) {
    if constexpr (std::same_as<N, bool>) return raw(name, number ? "true" : "false");
    return raw(name, std::to_string(number));
  }
  JsonObject& field(std::string_view name, double number) {
    return raw(name, format_decimal(number, 3));
  }
  // `json` is written as it is.
  JsonObject& raw(std::string_view name, std::string_view json) {
    if (!body_.empty()) body_ += ',';
    append_json_string(body_, name);
    body_ += ':';
    body_ += json;
    return *this;
  }
  std::string str() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

class JsonArray {
 public:
  JsonArray& add(std::string_view text) { return raw(json_string(text)); }
  JsonArray& raw(std::string_view json) {
    if (!body_.empty()) body_ += ',';
    body_ += json;
    return *this;
  }
  std::string str() const { return "[" + body_ + "]"; }

 private:
  std::string body_;
};

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// ByteReader: a bounds-checked cursor over borrowed bytes, big- or little-endian. It never throws
// and never reads outside its view: a read past the end yields zero and marks the reader as failed,
// and every later read yields zero too. So a header is read field by field and `ok()` is asked
// once, where a decision is made. Loops over a reader must end on `!ok()` or on a count. Not
// thread-safe; a copy is an independent cursor. Used by the sniffers of image/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace tintype {

enum class Endian : std::uint8_t { Big, Little };

class ByteReader {
 public:
  explicit ByteReader(ByteView bytes, Endian endian = Endian::Big)
      : bytes_(bytes), endian_(endian) {}

  bool ok() const { return !failed_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return failed_ || remaining() == 0; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

  // The next `size_bytes`; empty and failed when fewer are left.
  ByteView take(std::uint64_t size_bytes) {
    if (failed_ || size_bytes > remaining()) return fail_with_nothing();
    ByteView taken = bytes_.subspan(position_, static_cast<std::size_t>(size_bytes));
    position_ += taken.size();
    return taken;
  }
  std::string_view text(std::uint64_t size_bytes) { return text_of(take(size_bytes)); }
  void skip(std::uint64_t size_bytes) { take(size_bytes); }

  // Goes on at `offset_bytes` from the start of the view.
  void seek(std::uint64_t offset_bytes) {
    if (offset_bytes > bytes_.size()) {
      fail_with_nothing();
    } else {
      position_ = static_cast<std::size_t>(offset_bytes);
    }
  }

  // What is left, at most `size_bytes` of it; does not move and does not fail.
  ByteView peek(std::size_t size_bytes) const {
    return bytes_.subspan(position_, std::min(size_bytes, remaining()));
  }

 private:
  ByteView fail_with_nothing() {
    failed_ = true;
    return {};
  }

  std::uint64_t number(std::size_t size_bytes) {
    std::uint64_t value = 0;
    const ByteView taken = take(size_bytes);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const std::size_t at = endian_ == Endian::Big ? i : taken.size() - 1 - i;
      value = value << 8 | taken[at];
    }
    return value;
  }

  ByteView bytes_;
  std::size_t position_ = 0;
  Endian endian_;
  bool failed_ = false;
};

inline bool starts_with(ByteView bytes, std::string_view prefix) {
  return text_of(bytes).starts_with(prefix);
}

}  // namespace tintype

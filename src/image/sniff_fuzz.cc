// SPDX-License-Identifier: Apache-2.0
// libFuzzer entry of the header reader: any bytes must come back as a sane ImageInfo or as a
// failure with a sentence that a client may read.
#include "base/check.h"
#include "image/sniff.h"

namespace {

void check(const tintype::ImageInfo& info) {
  CHECK(!info.stored.empty());
  CHECK(!info.upright().empty());
  CHECK(info.frames >= 1 && info.frames <= 10'000);
  CHECK(info.bits >= 1 && info.bits <= 64);
  CHECK(info.chroma_x >= 1 && info.chroma_x <= 4);
  CHECK(info.chroma_y >= 1 && info.chroma_y <= 4);
  const int orientation = static_cast<int>(info.orientation);
  CHECK(orientation >= 1 && orientation <= 8);
}

void check(const tintype::Error& error) {
  using tintype::ErrorCode;
  CHECK(error.code == ErrorCode::Unsupported || error.code == ErrorCode::Corrupt);
  CHECK(!error.detail.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto info = tintype::sniff({data, size});
  info ? check(*info) : check(info.error());
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "replay/gunzip.h"

#include <array>
#include <limits>
#include <memory>

#include <zlib.h>

namespace tintype {
namespace {

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

[[nodiscard]] Failure corrupt() {
  return fail_public(ErrorCode::Corrupt, "the gzip data is damaged or ends early");
}

}  // namespace

bool is_gzip(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

Result<std::string> gunzip(std::string_view bytes, std::size_t max_bytes) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) {
    return fail_public(ErrorCode::TooLarge, "above 4 GB of gzip data");
  }
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
    return fail_private(ErrorCode::Internal, "zlib cannot be set up");
  }
  std::unique_ptr<z_stream, InflateEnd> end(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  std::array<char, 65'536> buffer;
  int code = Z_OK;
  while (code == Z_OK || stream.avail_in > 0) {
    if (code == Z_STREAM_END && inflateReset(&stream) != Z_OK) return corrupt();
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) return corrupt();
    std::size_t count = buffer.size() - stream.avail_out;
    if (text.size() + count > max_bytes) {
      return fail_public(ErrorCode::TooLarge,
                         "more than " + std::to_string(max_bytes) + " bytes when unpacked");
    }
    text.append(buffer.data(), count);
  }
  return text;
}

}  // namespace tintype

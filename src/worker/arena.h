// SPDX-License-Identifier: Apache-2.0
// Arena: the memory one render worker shares with the server for its whole life. An in-area holds
// the source, an out-area the variant; only compressed bytes cross, never pixels. It is a sealed
// memory file, so that neither side can change its size and make the other die of SIGBUS.
//
// Long-lived because page faults of a fresh mapping cost 1.3 ms for 2 MB, a warm copy 0.1 ms
// (docs/internals/figures.md F-arena). Not thread-safe: the pool thread owns the server's mapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "worker/settings.h"

namespace tintype {

// How an arena is laid out; both areas are whole pages. The in-area ends with at least one page
// that stays zero, so that a decoder which reads a few bytes ahead reads zeros.
struct ArenaShape {
  std::size_t source_bytes = 0;
  std::size_t variant_bytes = 0;

  static ArenaShape of(const WorkerSettings& settings);
  std::size_t total_bytes() const { return source_bytes + variant_bytes; }
};

// Creates the memory file at its final size and seals the size. Holds no memory until written.
Result<Descriptor> create_arena(const ArenaShape& shape);

class Arena {
 public:
  // Maps all of `fd`. Fails with Internal.
  static Result<Arena> map(int fd, const ArenaShape& shape);
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&&) = delete;
  ~Arena();

  // --- the server's side
  // Copies `source` in and zeroes what a longer predecessor left behind it.
  // Requires: source.size() <= the settings' max_source_bytes.
  void put_source(ByteView source);
  // Copies the first `size_bytes` of the out-area: what was checked cannot change afterwards.
  // Requires: size_bytes <= shape.variant_bytes.
  Bytes take_variant(std::size_t size_bytes) const;
  // Between jobs: empties the out-area (`variant_size_bytes` of it are known to be written) and
  // gives the memory of the in-area beyond kKeptSourceBytes back to the kernel.
  void clean(std::size_t variant_size_bytes);

  // --- the worker's side
  // From now on a stray write of this process into the in-area is a crash, not a changed source.
  Result<> forbid_source_writes();
  ByteView source(std::size_t size_bytes) const { return {base_, size_bytes}; }
  std::span<std::uint8_t> variant_area() const {
    return {base_ + shape_.source_bytes, shape_.variant_bytes};
  }

  // Sources of the field are 1-4 MB; above this an idle worker would hoard memory.
  static constexpr std::size_t kKeptSourceBytes = 8 << 20;

 private:
  Arena(std::uint8_t* base, const ArenaShape& shape) : base_(base), shape_(shape) {}
  // Zeroes whole pages by giving them back; [first, last) are offsets from the base.
  void discard(std::size_t first, std::size_t last);

  std::uint8_t* base_ = nullptr;
  ArenaShape shape_;
  std::size_t source_dirty_bytes_ = 0;
};

}  // namespace tintype

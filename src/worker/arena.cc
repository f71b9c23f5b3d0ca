// SPDX-License-Identifier: Apache-2.0
#include "worker/arena.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>

#include "base/check.h"

namespace tintype {
namespace {

std::size_t page_bytes() {
  static const std::size_t size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t whole_pages(std::size_t size_bytes) {
  return (size_bytes + page_bytes() - 1) / page_bytes() * page_bytes();
}

Failure system_failure(const char* what) {
  return fail_private(ErrorCode::Internal, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

ArenaShape ArenaShape::of(const WorkerSettings& settings) {
  return {.source_bytes =
              whole_pages(static_cast<std::size_t>(settings.max_source_bytes)) + page_bytes(),
          .variant_bytes = whole_pages(static_cast<std::size_t>(settings.max_variant_bytes))};
}

Result<Descriptor> create_arena(const ArenaShape& shape) {
  Descriptor fd(::memfd_create("tintype-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_failure("memfd_create");
  if (::ftruncate(fd.number(), static_cast<off_t>(shape.total_bytes())) != 0) {
    return system_failure("ftruncate");
  }
  if (::fcntl(fd.number(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return system_failure("F_ADD_SEALS");
  }
  return fd;
}

Result<Arena> Arena::map(int fd, const ArenaShape& shape) {
  void* base = ::mmap(nullptr, shape.total_bytes(), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) return system_failure("mmap of the arena");
  return Arena(static_cast<std::uint8_t*>(base), shape);
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      shape_(other.shape_),
      source_dirty_bytes_(other.source_dirty_bytes_) {}

Arena::~Arena() {
  if (base_ != nullptr) ::munmap(base_, shape_.total_bytes());
}

void Arena::put_source(ByteView source) {
  CHECK(source.size() + page_bytes() <= shape_.source_bytes);
  if (!source.empty()) std::memcpy(base_, source.data(), source.size());
  if (source_dirty_bytes_ > source.size()) {
    std::memset(base_ + source.size(), 0, source_dirty_bytes_ - source.size());
  }
  source_dirty_bytes_ = source.size();
}

Bytes Arena::take_variant(std::size_t size_bytes) const {
  CHECK(size_bytes <= shape_.variant_bytes);
  const std::uint8_t* begin = base_ + shape_.source_bytes;
  return Bytes(begin, begin + size_bytes);
}

void Arena::clean(std::size_t variant_size_bytes) {
  // Pages that every job uses are zeroed and kept, because a page fault costs more than zeroing.
  // Everything else is discarded whether or not we know it to be written: a worker may have written
  // anywhere, and discarding what holds no page costs next to nothing.
  const std::size_t kept = std::min(whole_pages(variant_size_bytes), shape_.variant_bytes);
  std::memset(base_ + shape_.source_bytes, 0, kept);
  discard(shape_.source_bytes + kept, shape_.total_bytes());
  if (shape_.source_bytes > kKeptSourceBytes) {
    discard(kKeptSourceBytes, shape_.source_bytes);
    source_dirty_bytes_ = std::min(source_dirty_bytes_, kKeptSourceBytes);
  }
}

void Arena::discard(std::size_t first, std::size_t last) {
  if (first >= last) return;
  CHECK(::madvise(base_ + first, last - first, MADV_REMOVE) == 0);
}

Result<> Arena::forbid_source_writes() {
  if (::mprotect(base_, shape_.source_bytes, PROT_READ) != 0) {
    return system_failure("mprotect of the in-area");
  }
  return {};
}

}  // namespace tintype

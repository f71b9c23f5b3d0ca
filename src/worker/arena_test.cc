// SPDX-License-Identifier: Apache-2.0
#include "worker/arena.h"

#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace tintype {
namespace {

class ArenaTest : public ::testing::Test {
 protected:
  ArenaTest() {
    shape_ = ArenaShape::of({.max_source_bytes = 20'000'000, .max_variant_bytes = 3'000'000});
    fd_ = create_arena(shape_).value();
  }
  Arena map() { return Arena::map(fd_.number(), shape_).value(); }
  // Memory the file holds at present.
  std::int64_t held_bytes() const {
    struct stat status {};
    EXPECT_EQ(::fstat(fd_.number(), &status), 0);
    return status.st_blocks * std::int64_t{512};
  }
  static std::size_t non_zero(ByteView bytes) {
    return bytes.size() - static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), 0));
  }

  ArenaShape shape_;
  Descriptor fd_;
};

TEST_F(ArenaTest, ItsSizeIsSealed) {
  EXPECT_NE(::ftruncate(fd_.number(), 1), 0);
  EXPECT_NE(::ftruncate(fd_.number(), static_cast<off_t>(shape_.total_bytes() * 2)), 0);
  EXPECT_NE(::fcntl(fd_.number(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST_F(ArenaTest, HoldsNoMemoryUntilWritten) {
  Arena arena = map();
  EXPECT_EQ(held_bytes(), 0);
}

TEST_F(ArenaTest, BothMappingsSeeTheSameBytes) {
  Arena server = map(), worker = map();
  server.put_source(view_of("picture"));
  EXPECT_EQ(text_of(worker.source(7)), "picture");
  std::copy_n("variant", 7, worker.variant_area().begin());
  EXPECT_EQ(text_of(server.take_variant(7)), "variant");
}

TEST_F(ArenaTest, TheLargestSourceIsFollowedByAPageOfZeros) {
  Arena arena = map();
  arena.put_source(Bytes(20'000'000, 0xff));
  EXPECT_GE(shape_.source_bytes, 20'000'000u + 4'096);
  EXPECT_EQ(non_zero(arena.source(shape_.source_bytes)), 20'000'000u);
}

TEST_F(ArenaTest, AShorterSourceLeavesNothingOfALonger) {
  Arena arena = map();
  arena.put_source(Bytes(5'000'000, 0xff));
  arena.clean(0);
  arena.put_source(Bytes(10, 0xff));
  EXPECT_EQ(non_zero(arena.source(shape_.source_bytes)), 10u);
}

TEST_F(ArenaTest, CleaningEmptiesTheOutAreaWhateverWasSaidToBeWritten) {
  Arena arena = map();
  std::ranges::fill(arena.variant_area(), 0xff);
  arena.clean(100'001);
  EXPECT_EQ(non_zero(arena.variant_area()), 0u);
  std::ranges::fill(arena.variant_area(), 0xff);
  arena.clean(shape_.variant_bytes);
  EXPECT_EQ(non_zero(arena.variant_area()), 0u);
}

TEST_F(ArenaTest, CleaningGivesBackTheMemoryOfALargeJob) {
  Arena arena = map();
  arena.put_source(Bytes(20'000'000, 0xff));
  std::ranges::fill(arena.variant_area(), 0xff);
  EXPECT_GE(held_bytes(), 20'000'000);
  arena.clean(1'000);
  EXPECT_LE(held_bytes(), static_cast<std::int64_t>(Arena::kKeptSourceBytes) + 4'096);
  arena.put_source({});
  EXPECT_EQ(non_zero(arena.source(shape_.source_bytes)), 0u);
}

TEST_F(ArenaTest, AWorkerCannotWriteItsSource) {
  Arena arena = map();
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    if (!arena.forbid_source_writes()) ::_exit(2);
    *const_cast<volatile std::uint8_t*>(arena.source(1).data()) = 1;
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

}  // namespace
}  // namespace tintype

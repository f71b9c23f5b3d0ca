// SPDX-License-Identifier: Apache-2.0
#include "store/purge_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/dynamodb_testing.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PurgeNotesTest : public testing::Test {
 protected:
  std::vector<std::string> read(PurgeNotes& notes, std::string& cursor) {
    auto news = run(notes.read_since(cursor, bench_.soon()));
    EXPECT_TRUE(news) << news.error().message;
    cursor = news->cursor;
    return news->notes;
  }
  void append(PurgeNotes& notes, const std::string& note) {
    ASSERT_TRUE(run(notes.append(note, bench_.soon())));
  }

  DynamoBench bench_;
  PushedClock& clock_ = bench_.clock;
  PurgeNotes a_{bench_.client, clock_, "a"}, b_{bench_.client, clock_, "b"};
};

TEST_F(PurgeNotesTest, EveryTaskReadsEachNoteOnceInOrder) {
  std::string at_a, at_b;
  EXPECT_THAT(read(a_, at_a), IsEmpty());
  EXPECT_THAT(read(b_, at_b), IsEmpty());
  append(a_, "one");
  append(a_, "two");
  EXPECT_THAT(read(b_, at_b), ElementsAre("one", "two"));
  EXPECT_THAT(read(b_, at_b), IsEmpty());
  clock_.advance(Milliseconds(10'000));
  append(b_, "three");
  EXPECT_THAT(read(b_, at_b), ElementsAre("three"));
  EXPECT_THAT(read(a_, at_a), ElementsAre("one", "two", "three"));
}

TEST_F(PurgeNotesTest, ANoteOfATaskWhoseClockIsBehindIsNotLost) {
  std::string at_b;
  clock_.advance(Milliseconds(30'000));
  read(b_, at_b);
  append(a_, "ahead");
  EXPECT_THAT(read(b_, at_b), ElementsAre("ahead"));
  ManualClock behind;
  PurgeNotes late(bench_.client, behind, "c");
  append(late, "behind");
  EXPECT_THAT(read(b_, at_b), ElementsAre("behind"));
  EXPECT_THAT(read(b_, at_b), IsEmpty());
}

TEST_F(PurgeNotesTest, NotesOfYesterdayAreLeftOut) {
  std::string at_b;
  read(b_, at_b);
  append(a_, "old");
  clock_.advance(Milliseconds(86'401'000));
  append(a_, "new");
  EXPECT_THAT(read(b_, at_b), ElementsAre("new"));
}

}  // namespace
}  // namespace tintype

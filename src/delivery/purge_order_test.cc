// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/purge_report.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using What = PurgeOrder::What;

TEST(PurgeOrder, EachKindComesBackFromItsJson) {
  const PurgeOrder all[] = {
      {.site = "shop", .what = What::Source, .value = "p/4711/é \"x\".jpg"},
      {.site = "shop", .what = What::Prefix, .value = "p/4711/", .dry_run = true},
      {.site = "shop", .what = What::Tag, .value = "sale:2026"},
      {.site = "shop", .what = What::Preset, .value = "card", .id = "a-1"},
      {.site = "s_h-o.p", .what = What::All},
  };
  for (const PurgeOrder& order : all) {
    auto read = parse_purge_order(as_json(order));
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, order) << as_json(order);
  }
  EXPECT_EQ(as_json(all[4]), R"({"site":"s_h-o.p","all":true})");
  EXPECT_EQ(describe(all[4]), "everything of s_h-o.p");
  EXPECT_EQ(describe(all[1]), "prefix p/4711/ of shop");
}

struct Bad {
  const char *json, *says;
};

TEST(PurgeOrder, WhatIsWrongIsNamed) {
  const Bad all[] = {
      {"", "must be a JSON object"},
      {"[]", "must be a JSON object"},
      {R"({"site":"shop","all":true)", "must be a JSON object"},
      {R"({"all":true})", "site: is missing"},
      {R"({"site":"","all":true})", "site: must not be empty"},
      {R"({"site":7,"all":true})", "site: must be a text"},
      {R"({"site":"a/b","all":true})", "no name of a site"},
      {R"({"site":"shop"})", "exactly one of"},
      {R"({"site":"shop","all":true,"tag":"a"})", "exactly one of"},
      {R"({"site":"shop","all":false})", "all: must be true"},
      {R"({"site":"shop","all":"yes"})", "all: must be true or false"},
      {R"({"site":"shop","source":""})", "source: must not be empty"},
      {R"({"site":"shop","source":null})", "source: must be a text"},
      {R"({"site":"shop","source":"/a.jpg"})", "must not begin with /"},
      {R"({"site":"shop","source":"a/../b"})", "must not have . or .."},
      {R"({"site":"shop","prefix":"../"})", "must not have . or .."},
      {R"({"site":"shop","tag":"two words"})", "tag: "},
      {R"({"site":"shop","all":true,"dryrun":true})", "\"dryrun\" is no field"},
      {R"({"site":"shop","all":true,"dry_run":1})", "dry_run: must be true or false"},
      {R"({"site":"shop","all":true,"id":"a b"})", "id: must be"},
  };
  for (const Bad& bad : all) {
    auto read = parse_purge_order(bad.json);
    ASSERT_FALSE(read) << bad.json;
    EXPECT_EQ(read.error().code, ErrorCode::BadRequest);
    EXPECT_THAT(read.error().detail, HasSubstr(bad.says)) << bad.json;
  }
}

TEST(PurgeReport, ComesBackFromItsJson) {
  PurgeReport report;
  report.id = "id-1";
  report.state = PurgeReport::State::Failed;
  report.order = {.site = "shop", .what = What::Tag, .value = "sale"};
  report.counts = {.memory = 1, .disk = 2, .store = 3, .edge_paths = 4, .sources = 5};
  report.error = "store: timeout";
  report.by = "token:0123abcd";
  report.started_unix_seconds = 1'700'000'000;
  report.duration_ms = 77;
  EXPECT_EQ(as_json(report),
            R"({"id":"id-1","state":"failed","dry_run":false,"order":{"site":"shop","tag":"sale"},)"
            R"("counts":{"memory":1,"disk":2,"store":3,"edge_paths":4,"sources":5},)"
            R"("error":"store: timeout","by":"token:0123abcd",)"
            R"("started":"2023-11-14T22:13:20Z","duration_ms":77})");
  auto read = parse_purge_report(as_json(report));
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->state, report.state);
  EXPECT_EQ(read->order, report.order);
  EXPECT_EQ(read->counts.store, 3u);
  EXPECT_EQ(read->counts.edge_paths, 4u);
  EXPECT_EQ(read->error, report.error);
  for (const char* bad : {"", "{}", R"({"state":"gone","order":{},"counts":{}})", "[1]"}) {
    EXPECT_FALSE(parse_purge_report(bad)) << bad;
  }
}

// How many sources there are is not known before they are removed: then nothing is said of them.
TEST(PurgeReport, ADryRunSaysNothingOfSources) {
  PurgeReport report;
  report.order = {.site = "shop", .what = What::All, .dry_run = true};
  EXPECT_THAT(as_json(report), testing::Not(HasSubstr("sources")));
}

}  // namespace
}  // namespace tintype

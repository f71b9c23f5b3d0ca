// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/signing.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kSecret[] = "0123456789abcdef";

Policy shop() {
  auto policy = parse_policy(R"(
sites:
  shop:
    origin: { folder: x }
    presets: { card: 'w=400' }
    hooks:
      dam: { secrets: [ 0123456789abcdef ], source: /p, event: /e, warm: [card] }
      cloud: { recipe: cloudinary, secrets: [ 0123456789abcdef ], warm: [card] }
      bucket: { recipe: s3, secrets: [ 0123456789abcdef ] }
)",
                             "/etc");
  EXPECT_TRUE(policy) << policy.error().detail;
  return std::move(*policy);
}

class HookDeskTest : public testing::Test {
 protected:
  HookDeskTest() { settings_.patience_ms = Milliseconds(10'000); }

  Task<Result<>> purge(PurgeOrder order) {
    if (is_hanging_) co_await sleep_for(Milliseconds(50));
    purged_.push_back(describe(order));
    if (is_failing_) co_return fail_private(ErrorCode::OriginFailed, "S3 is down");
    co_return Result<>();
  }

  HookCall call(const std::string& name, const std::string& body) {
    HookCall call{.site = "shop", .name = name, .client = "192.0.2.1", .headers = {}, .body = body};
    call.headers.take("x-tintype-secret", kSecret);
    return call;
  }

  HookCall signed_call(const std::string& body) {
    HookCall signed_one = call("dam", body);
    signed_one.headers = {};
    std::string time = std::to_string(clock_.unix_seconds());
    std::string digest = hmac_sha256(kSecret, time + "." + body);
    ByteView bytes(reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size());
    signed_one.headers.take("x-tintype-signature", "t=" + time + ",v1=" + hex(bytes));
    return signed_one;
  }

  HookAnswer take(HookDesk& desk, HookCall call) {
    HookAnswer answer;
    auto work = [&]() -> Task<> { answer = co_await desk.take(std::move(call)); };
    asio::co_spawn(loop_, work(), asio::detached);
    loop_.run();
    loop_.restart();
    return answer;
  }
  HookAnswer take(HookCall hook_call) { return take(desk(), std::move(hook_call)); }

  HookDesk& desk() {
    if (!desk_) {
      HookDesk::Parts parts{
          .policies = policies_, .clock = clock_, .warm = warm_, .purge = [this](PurgeOrder o) {
            return purge(std::move(o));
          }};
      desk_ = std::make_unique<HookDesk>(std::move(parts), settings_);
    }
    return *desk_;
  }

  FixedPolicy policies_{shop()};
  ManualClock clock_;
  // Never started: what is offered stays.
  WarmQueue warm_{{.policies = policies_, .clock = clock_, .ask = {}, .is_busy = {}}, {}};
  HookDeskSettings settings_;
  asio::io_context loop_;
  std::unique_ptr<HookDesk> desk_;
  std::vector<std::string> purged_;
  bool is_failing_ = false, is_hanging_ = false;
};

TEST_F(HookDeskTest, AChangedPictureIsPurgedAndWarmed) {
  HookAnswer answer = take(call("dam", R"({"p":"a.jpg","e":"updated"})"));
  EXPECT_EQ(answer.status, 202) << answer.problem;
  EXPECT_EQ(answer.json, R"({"status":"purged","changed":1,"deleted":0})");
  EXPECT_THAT(purged_, ElementsAre("source a.jpg of shop"));
  EXPECT_EQ(warm_.state().waiting, 1u);
  EXPECT_EQ(desk().state().obeyed, 1u);
}

TEST_F(HookDeskTest, ADeletedPictureIsPurgedOnly) {
  HookAnswer answer = take(call("dam", R"({"p":["a.jpg","b.jpg"],"e":"deleted"})"));
  EXPECT_EQ(answer.json, R"({"status":"purged","changed":0,"deleted":2})");
  EXPECT_THAT(purged_, ElementsAre("source a.jpg of shop", "source b.jpg of shop"));
  EXPECT_EQ(warm_.state().waiting, 0u);
}

TEST_F(HookDeskTest, WhatIsNoneOfOursIsAnsweredWithSuccess) {
  HookAnswer answer = take(call("dam", R"({"e":"login"})"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.json, HasSubstr("ignored"));
  EXPECT_THAT(purged_, IsEmpty());
  EXPECT_EQ(desk().state().ignored, 1u);
}

TEST_F(HookDeskTest, CloudinaryIsAnsweredWith200) {
  HookAnswer answer = take(call("cloud", R"({"notification_type":"eager","public_id":"a"})"));
  EXPECT_EQ(answer.status, 200);
  answer = take(call("cloud", R"({"notification_type":"delete","resources":[{"public_id":"a"}]})"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(purged_.size(), 1u);
  EXPECT_THAT(purged_.at(0), HasSubstr("a."));
}

TEST_F(HookDeskTest, ASignedHookWorksOnce) {
  HookCall first = signed_call(R"({"p":"a.jpg","e":"updated"})");
  EXPECT_THAT(take(first).json, HasSubstr("purged"));
  HookAnswer again = take(first);
  EXPECT_EQ(again.status, 202);
  EXPECT_THAT(again.json, HasSubstr("seen"));
  EXPECT_EQ(purged_.size(), 1u);
  EXPECT_EQ(desk().state().seen, 1u);
}

TEST_F(HookDeskTest, AFailedPurgeMayBeSentAgain) {
  HookCall hook = signed_call(R"({"p":"a.jpg","e":"updated"})");
  is_failing_ = true;
  HookAnswer answer = take(hook);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.problem, Not(HasSubstr("S3")));
  EXPECT_EQ(warm_.state().waiting, 0u);
  EXPECT_EQ(desk().state().failed, 1u);
  is_failing_ = false;
  EXPECT_EQ(take(hook).status, 202);
  EXPECT_EQ(warm_.state().waiting, 1u);
}

TEST_F(HookDeskTest, ALongPurgeGoesOnBehindTheAnswer) {
  is_hanging_ = true;
  settings_.patience_ms = Milliseconds(1);
  HookAnswer answer = take(call("dam", R"({"p":"a.jpg","e":"updated"})"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.json, HasSubstr("purging"));
  EXPECT_THAT(purged_, ElementsAre("source a.jpg of shop"));
  EXPECT_EQ(warm_.state().waiting, 1u);
}

TEST_F(HookDeskTest, ManyPicturesAtOnce) {
  std::string paths;
  for (int i = 0; i < 40; ++i) paths += (i ? ",\"" : "\"") + std::to_string(i) + ".jpg\"";
  HookAnswer answer = take(call("dam", R"({"e":"new","p":[)" + paths + "]}"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(purged_.size(), 40u);
  EXPECT_EQ(warm_.state().waiting, 40u);
}

TEST_F(HookDeskTest, RefusesStrangers) {
  HookCall hook = call("dam", R"({"p":"a.jpg","e":"updated"})");
  hook.headers = {};
  EXPECT_EQ(take(hook).status, 401);
  hook.headers.take("x-tintype-secret", "fedcba9876543210");
  EXPECT_EQ(take(hook).status, 403);
  EXPECT_EQ(take(call("other", "{}")).status, 404);
  HookCall elsewhere = call("dam", "{}");
  elsewhere.site = "press";
  EXPECT_EQ(take(elsewhere).status, 404);
  EXPECT_EQ(take(call("dam", "no JSON")).status, 400);
  EXPECT_THAT(purged_, IsEmpty());
  EXPECT_EQ(desk().state().refused, 5u);
}

}  // namespace
}  // namespace tintype

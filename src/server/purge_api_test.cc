// SPDX-License-Identifier: Apache-2.0
#include "server/purge_api.h"

#include "server/server_testing.h"

namespace tintype {
namespace {

constexpr const char* kToken = "token-0123456789abcdef";

// A store whose listings wait until they are let through.
class SlowStore final : public VariantStore {
 public:
  Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) override {
    return inner_.keep(std::move(variant), replace, deadline);
  }
  Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key, Deadline d) override {
    return inner_.get(std::move(key), d);
  }
  Task<Result<std::vector<std::string>>> list(std::string prefix, std::string after,
                                              Deadline deadline) override {
    while (is_held) co_await sleep_for(2ms);
    if (is_failing) co_return fail_private(ErrorCode::OriginFailed, "secret host name");
    co_return co_await inner_.list(std::move(prefix), std::move(after), deadline);
  }
  Task<Result<>> remove(std::vector<std::string> keys, Deadline deadline) override {
    return inner_.remove(std::move(keys), deadline);
  }
  std::atomic<bool> is_held{false}, is_failing{false};

 private:
  MemoryVariantStore inner_;
};

class PurgeApiTest : public ServerTest {
 protected:
  void start_api(std::vector<std::string> tokens, Milliseconds patience = 5000ms) {
    tokens_ = std::make_unique<AdminTokens>(std::move(tokens));
    Policy policy;
    policy.sites["shop"].name = "shop";
    policies_ = std::make_unique<FixedPolicy>(std::move(policy));
    PurgeParts parts{.policies = *policies_,
                     .log = log_,
                     .memory = memory_,
                     .blocking = blocking_,
                     .clock = clock_,
                     .store = &store_,
                     .on_done = [this](const PurgeReport& report) {
                       std::lock_guard lock(mutex_);
                       audited_.push_back(report);
                     }};
    purger_ = std::make_unique<Purger>(std::move(parts));
    api_ = std::make_unique<PurgeApi>(*purger_, *tokens_,
                                      PurgeApiSettings{.patience_ms = patience, .max_running = 2});
    ServerSettings settings;
    settings.port = settings.admin_port = 0;
    settings.loops = 1;
    settings.drain_accept_ms = 0ms;
    ServerParts server_parts{.metrics = metrics_, .clock = clock_};
    server_parts.answer_from_memory = [this](const Viewing& v) { return from_memory(v); };
    server_parts.answer = [this](Viewing v) { return walk(v); };
    api_->add_routes(server_parts.api);
    auto server = Server::start(std::move(server_parts), settings);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    auto entry = std::make_shared<Entry>();
    entry->meta.key = "/shop/a.jpg/_/w-1.webp";
    memory_.keep(entry);
  }
  void TearDown() override {
    store_.is_held = false;
    ServerTest::TearDown();
  }

  Reply post(const std::string& body, const std::string& token = kToken) {
    Client client(server_->admin_port());
    std::string fields = token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    return client.ask("POST /_/purge HTTP/1.1\r\nHost: t\r\n" + fields +
                      "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  Reply ask(const std::string& id) {
    return Client(server_->admin_port())
        .get("/_/purge/" + id, std::string("Authorization: Bearer ") + kToken + "\r\n");
  }

  PurgeLog log_{clock_};
  MemoryTier memory_{1'000'000, 1};
  SlowStore store_;
  asio::thread_pool blocking_{1};
  std::unique_ptr<FixedPolicy> policies_;
  std::unique_ptr<AdminTokens> tokens_;
  std::unique_ptr<Purger> purger_;
  std::unique_ptr<PurgeApi> api_;
  std::mutex mutex_;
  std::vector<PurgeReport> audited_;
};

TEST_F(PurgeApiTest, OnlyWhoHasALiveTokenMayOrder) {
  start_api({kToken, "old-0123456789abcdef"});
  std::string order = R"({"site":"shop","source":"a.jpg","dry_run":true})";
  EXPECT_EQ(post(order).status, 200);
  EXPECT_EQ(post(order, "old-0123456789abcdef").status, 200);
  for (const char* bad : {"", "wrong", "token-0123456789abcde", "token-0123456789abcdef0"}) {
    Reply reply = post(order, bad);
    EXPECT_EQ(reply.status, 401) << bad;
    EXPECT_EQ(reply.field("www-authenticate"), "Bearer");
  }
  EXPECT_EQ(Client(server_->admin_port()).get("/_/purge/x").status, 401);
  Client twice(server_->admin_port());
  EXPECT_EQ(
      twice.get("/_/purge/x", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n").status,
      401);
}

TEST_F(PurgeApiTest, WithoutATokenItIsOffAndSaysSo) {
  start_api({""});
  for (const char* token : {"", "x"}) {
    Reply reply = post(R"({"site":"shop","all":true})", token);
    EXPECT_EQ(reply.status, 403);
    EXPECT_THAT(reply.body, HasSubstr("server.admin_token"));
  }
}

TEST_F(PurgeApiTest, APurgeIsDoneCountedAndAudited) {
  start_api({kToken});
  Reply reply = post(R"({"site":"shop","source":"a.jpg","dry_run":true})");
  auto report = nlohmann::json::parse(reply.body);
  EXPECT_EQ(report["state"], "done");
  EXPECT_EQ(report["counts"]["memory"], 1);
  EXPECT_NE(memory_.get("/shop/a.jpg/_/w-1.webp"), nullptr);
  reply = post(R"({"site":"shop","source":"a.jpg","id":"mine-1"})");
  report = nlohmann::json::parse(reply.body);
  EXPECT_EQ(report["id"], "mine-1");
  EXPECT_EQ(report["counts"]["memory"], 1);
  EXPECT_EQ(memory_.get("/shop/a.jpg/_/w-1.webp"), nullptr);
  std::lock_guard lock(mutex_);
  ASSERT_EQ(audited_.size(), 2u);
  EXPECT_EQ(audited_[1].by, name_of_token(kToken));
  EXPECT_EQ(audited_[1].client, "127.0.0.1");
  EXPECT_THAT(as_json(audited_[1]), Not(HasSubstr(kToken)));
}

TEST_F(PurgeApiTest, WhatCannotBeUnderstoodIsA400WithItsReason) {
  start_api({kToken});
  Reply reply = post(R"({"site":"shop","sorce":"a.jpg"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("sorce"));
  EXPECT_EQ(post("not json").status, 400);
  reply = post(R"({"site":"shup","all":true})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("shup"));
}

TEST_F(PurgeApiTest, ALongOneIsAskedAfter) {
  start_api({kToken}, 20ms);
  store_.is_held = true;
  Reply begun = post(R"({"site":"shop","all":true,"id":"long"})");
  EXPECT_EQ(begun.status, 202);
  EXPECT_EQ(begun.field("location"), "/_/purge/long");
  EXPECT_EQ(nlohmann::json::parse(begun.body)["step"], "store");
  EXPECT_EQ(ask("long").status, 202);
  // The same again is the same purge.
  EXPECT_EQ(post(R"({"site":"shop","all":true,"id":"long"})").status, 202);
  EXPECT_EQ(post(R"({"site":"shop","source":"a","id":"long"})").status, 409);
  EXPECT_EQ(post(R"({"site":"shop","all":true})").status, 202);
  EXPECT_EQ(post(R"({"site":"shop","all":true})").status, 503);  // two are under way
  store_.is_held = false;
  wait_until([&] { return ask("long").status == 200; });
  EXPECT_EQ(nlohmann::json::parse(ask("long").body)["state"], "done");
  EXPECT_EQ(ask("unknown").status, 404);
}

TEST_F(PurgeApiTest, AFailedOneSaysWhatToDoAndMayBeRepeated) {
  start_api({kToken});
  store_.is_failing = true;
  Reply reply = post(R"({"site":"shop","all":true,"id":"again"})");
  EXPECT_EQ(reply.status, 502);
  EXPECT_THAT(reply.body, HasSubstr("store: origin-failed"));
  EXPECT_THAT(reply.body, HasSubstr("Send the same order again"));
  EXPECT_THAT(reply.body, Not(HasSubstr("secret host name")));
  store_.is_failing = false;
  reply = post(R"({"site":"shop","all":true,"id":"again"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(nlohmann::json::parse(ask("again").body)["state"], "done");
}

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// The walk with real layers around it, but an origin in memory, a renderer that counts, and a clock
// moved by hand. What a render produces is engine/'s to test; here it is who renders, when, and
// what is kept.
#include "delivery/walk.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/text.h"
#include "delivery/failure.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

constexpr char kTarget[] = "/shop/p/front.png?w=8&f=webp";

// A minimal PNG head: enough for the sniffer, which is all the walk looks at.
Bytes png_source(std::uint8_t width = 16) {
  Bytes png = {0x89, 'P', 'N', 'G', '\r',  '\n', 0x1A, '\n', 0,  0, 0, 13, 'I', 'H', 'D',
               'R',  0,   0,   0,   width, 0,    0,    0,    16, 8, 2, 0,  0,   0};
  Bytes tail = {0, 0, 0, 0, 0, 0, 0, 4, 'I', 'D', 'A', 'T', 1, 2, 3, 4, 0, 0, 0, 0};
  png.insert(png.end(), tail.begin(), tail.end());
  return png;
}

// Answers each job with the plan's size as text; can fail, and can take time.
class CountingRenderer final : public Renderer {
 public:
  Task<Result<RenderedVariant>> render(RenderJob job) override {
    ++renders;
    if (delay.count() > 0) co_await sleep_for(delay);
    if (failure) co_return fail_private(*failure, "made to fail");
    std::string text = "variant " + std::to_string(job.plan.variant_size().width_px) + " of " +
                       std::to_string(job.source->size());
    RenderedVariant variant;
    variant.bytes.assign(text.begin(), text.end());
    variant.size = job.plan.variant_size();
    co_return variant;
  }
  std::atomic<int> renders{0};
  std::optional<ErrorCode> failure;
  Milliseconds delay{0};
};

Policy policy_with(std::int64_t variant_ttl_seconds = 3600) {
  SitePolicy shop;
  shop.name = "shop";
  shop.variant_ttl = Seconds(variant_ttl_seconds);
  shop.presets["card"] = {.transformation = {}, .named = 0};
  shop.presets["card"].transformation.width_px = 4;
  shop.presets["card"].named = bit_of(OptionId::Width);
  Policy policy;
  policy.sites["shop"] = shop;
  return policy;
}

class WalkTest : public testing::Test {
 protected:
  WalkTest()
      : policies(policy_with()),
        origin(std::make_shared<MemoryOrigin>()),
        origins([this](const SitePolicy&) -> Result<std::shared_ptr<Origin>> { return origin; }),
        memory(1'000'000, 4),
        blocking(2) {
    origin->put("p/front.png", png_source(), 1'600'000'000);
    make_walk();
  }
  ~WalkTest() override { blocking.join(); }

  void make_walk() {
    walk = std::make_unique<Walk>(WalkParts{
        .policies = policies,
        .origins = origins,
        .fetches = fetches,
        .renderer = renderer,
        .memory = memory,
        .disk = disk.get(),
        .shared = shared.get(),
        .blocking = blocking,
        .metrics = metrics,
        .clock = clock,
        .render_head = [](Entry& entry) { entry.head = std::to_string(entry.meta.status); }});
  }

  // A disk tier in a folder of its own, removed at the end of the test.
  void open_disk() {
    folder = std::filesystem::temp_directory_path() /
             ("tintype-walk-" + std::to_string(getpid()) + "-" +
              testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder);
    disk = DiskTier::open({.folder = folder.string()}, clock).value();
    make_walk();
  }
  void TearDown() override {
    walk.reset();
    blocking.join();
    disk.reset();
    if (!folder.empty()) std::filesystem::remove_all(folder);
  }

  Answer get(std::string target, std::string accept = {}) {
    std::optional<Answer> answer;
    asio::io_context loop;
    Viewing viewing{.target = target, .hints = {.accept = accept}};
    auto work = [&]() -> Task<> { answer = co_await walk->answer(viewing); };
    asio::co_spawn(loop, work(), asio::detached);
    loop.run();
    return *answer;
  }
  static std::string body_of(const Answer& answer) {
    return std::string(text_of(answer.entry->body));
  }

  ManualClock clock;
  FixedPolicy policies;
  std::shared_ptr<MemoryOrigin> origin;
  Origins origins;
  SourceFetches fetches{{}, clock};
  CountingRenderer renderer;
  MemoryTier memory;
  asio::thread_pool blocking;
  Metrics metrics;
  std::filesystem::path folder;
  std::unique_ptr<DiskTier> disk;
  MemoryVariantStore variants;
  WriteBack write_back{variants, {}, clock};
  std::unique_ptr<SharedVariants> shared;
  std::unique_ptr<Walk> walk;
};

TEST_F(WalkTest, WritesBackAndTakesFromOtherTasks) {
  auto parts = SharedVariants::Parts{.store = variants, .write_back = write_back, .clock = clock};
  shared = std::make_unique<SharedVariants>(parts, SharedVariantsSettings{.read = true});
  make_walk();
  EXPECT_EQ(get(kTarget).outcome, Outcome::Rendered);
  EXPECT_EQ(write_back.drain(Deadline::after(clock, Milliseconds(10'000))), 0u);
  EXPECT_EQ(variants.size(), 1u);
  memory.remove_if([](const EntryMeta&) { return true; });  // as another task
  Answer second = get(kTarget);
  EXPECT_EQ(second.outcome, Outcome::StoreHit);
  EXPECT_EQ(second.entry->meta.source, "p/front.png");
  EXPECT_EQ(second.entry->head, "200");
  EXPECT_EQ(renderer.renders, 1);
  EXPECT_EQ(get(kTarget).outcome, Outcome::MemoryHit);
  // A store that is down costs a render, not an answer.
  variants.fail_with(ErrorCode::OriginFailed);
  EXPECT_EQ(get("/shop/p/front.png?w=9&f=webp").outcome, Outcome::Rendered);
}

TEST_F(WalkTest, FirstRendersThenHits) {
  Answer first = get(kTarget);
  EXPECT_EQ(first.outcome, Outcome::Rendered);
  EXPECT_EQ(first.entry->meta.status, 200);
  EXPECT_EQ(first.entry->meta.media_type, "image/webp");
  EXPECT_EQ(first.entry->meta.modified_unix_seconds, clock.unix_seconds());
  EXPECT_EQ(first.entry->head, "200");
  EXPECT_EQ(body_of(first).substr(0, 9), "variant 8");
  EXPECT_GE(first.timings.fetch_us, 0);

  Answer second = get("/shop/p/front.png?format=WEBP&width=8&utm_source=mail");
  EXPECT_EQ(second.outcome, Outcome::MemoryHit);
  EXPECT_EQ(second.entry, first.entry);
  EXPECT_EQ(origin->fetches(), 1);
  EXPECT_EQ(renderer.renders, 1);
}

TEST_F(WalkTest, SizesAskedAtTheSameTimeFetchTheirSourceOnce) {
  origin->delay(Milliseconds(30));
  asio::io_context loop;
  std::vector<Answer> answers;
  for (int width = 1; width <= 8; ++width) {
    auto work = [this, width, &answers]() -> Task<> {
      std::string target = "/shop/p/front.png?f=webp&w=" + std::to_string(width);
      answers.push_back(co_await walk->answer({.target = target, .hints = {}}));
    };
    asio::co_spawn(loop, work, asio::detached);
  }
  loop.run();
  ASSERT_EQ(answers.size(), 8u);
  for (const Answer& answer : answers) EXPECT_EQ(answer.entry->meta.status, 200);
  EXPECT_EQ(origin->fetches(), 1);
  EXPECT_EQ(renderer.renders, 8);
}

TEST_F(WalkTest, CanonicalPathIsTheSameVariant) {
  Answer first = get(kTarget);
  Answer second = get(first.entry->meta.key);
  EXPECT_EQ(second.outcome, Outcome::MemoryHit);
  EXPECT_EQ(second.entry, first.entry);
}

TEST_F(WalkTest, AnswerFromMemoryNeverWaits) {
  Viewing viewing{.target = kTarget, .hints = {}};
  EXPECT_FALSE(walk->answer_from_memory(viewing));
  get(kTarget);
  EXPECT_TRUE(walk->answer_from_memory(viewing));
  viewing.target = "/shop/p/front.png?w=9x";
  auto refused = walk->answer_from_memory(viewing);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->entry->meta.status, 400);
}

TEST_F(WalkTest, VariesOnlyWhereAcceptWasRead) {
  EXPECT_EQ(get(kTarget).hints_read, 0);
  Answer negotiated = get("/shop/p/front.png?w=8", "image/webp,*/*;q=0.8");
  EXPECT_EQ(negotiated.hints_read, kAcceptBit);
  EXPECT_EQ(negotiated.entry->meta.media_type, "image/webp");
  EXPECT_EQ(get("/shop/p/front.png?w=8", "*/*").entry->meta.media_type, "image/jpeg");
}

TEST_F(WalkTest, ThousandIdenticalMissesAreOneFetchAndOneRender) {
  renderer.delay = Milliseconds(50);
  constexpr int kViewers = 1000;
  std::atomic<int> good{0};
  asio::io_context loops[2];
  for (int i = 0; i < kViewers; ++i) {
    auto view = [&]() -> Task<> {
      Viewing viewing{.target = kTarget, .hints = {}};
      Answer answer = co_await walk->answer(viewing);
      if (answer.entry->meta.status == 200) ++good;
    };
    asio::co_spawn(loops[i % 2], view, asio::detached);
  }
  std::thread other([&] { loops[1].run(); });
  loops[0].run();
  other.join();
  EXPECT_EQ(good, kViewers);
  EXPECT_EQ(origin->fetches(), 1);
  EXPECT_EQ(renderer.renders, 1);
}

TEST_F(WalkTest, BadRequestsNameTheOptionAndReachNoOrigin) {
  Answer answer = get("/shop/p/front.png?w=wide");
  EXPECT_EQ(answer.entry->meta.status, 400);
  EXPECT_EQ(answer.outcome, Outcome::ClientError);
  EXPECT_NE(body_of(answer).find("\"option\":\"w\""), std::string::npos) << body_of(answer);
  EXPECT_NE(body_of(answer).find("wide"), std::string::npos);
  EXPECT_EQ(get("/nowhere/x.png").entry->meta.status, 404);
  EXPECT_EQ(origin->fetches(), 0);
}

TEST_F(WalkTest, MissingSourceIsRememberedForAllItsVariants) {
  EXPECT_EQ(get("/shop/no.png?w=8").entry->meta.status, 404);
  Answer other_size = get("/shop/no.png?w=9");
  EXPECT_EQ(other_size.outcome, Outcome::NegativeHit);
  EXPECT_EQ(origin->fetches(), 1);
  clock.advance(Seconds(rule_of(ErrorCode::NotFound).negative_ttl_seconds + 1));
  origin->put("no.png", png_source());
  EXPECT_EQ(get("/shop/no.png?w=8").entry->meta.status, 200);
}

TEST_F(WalkTest, DamagedSourceIs422AndRemembered) {
  Bytes cut = png_source();
  cut.resize(12);
  origin->put("cut.png", cut);
  EXPECT_EQ(get("/shop/cut.png?w=8").entry->meta.status, 422);
  EXPECT_EQ(get("/shop/cut.png?w=9").outcome, Outcome::NegativeHit);
  origin->put("text.png", Bytes{'h', 'e', 'l', 'l', 'o'});
  EXPECT_EQ(get("/shop/text.png?w=8").entry->meta.status, 415);
  EXPECT_EQ(renderer.renders, 0);
}

TEST_F(WalkTest, BusyIsNeitherRememberedNorCached) {
  renderer.failure = ErrorCode::Busy;
  Answer busy = get(kTarget);
  EXPECT_EQ(busy.entry->meta.status, 503);
  EXPECT_EQ(busy.outcome, Outcome::Busy);
  EXPECT_EQ(busy.entry->meta.max_age_seconds, 0);
  EXPECT_GT(busy.entry->meta.retry_after_seconds, 0);
  renderer.failure.reset();
  EXPECT_EQ(get(kTarget).outcome, Outcome::Rendered);
}

TEST_F(WalkTest, PrivateMessagesStayInside) {
  renderer.failure = ErrorCode::Internal;
  EXPECT_EQ(body_of(get(kTarget)).find("made to fail"), std::string::npos);
}

TEST_F(WalkTest, ServesStaleWhenTheOriginFails) {
  get(kTarget);
  clock.advance(Seconds(3601));
  origin->fail_with(ErrorCode::OriginFailed);
  Answer stale = get(kTarget);
  EXPECT_EQ(stale.outcome, Outcome::Stale);
  EXPECT_EQ(stale.entry->meta.status, 200);
  EXPECT_LE(stale.entry->meta.max_age_seconds, 60);
  // The failure is remembered for a moment, so that a flood does not reach a failing origin.
  int fetched_before = origin->fetches();
  EXPECT_EQ(get(kTarget).outcome, Outcome::Stale);
  EXPECT_EQ(origin->fetches(), fetched_before);
  clock.advance(Seconds(61));
  origin->fail_with(std::nullopt);
  EXPECT_EQ(get(kTarget).outcome, Outcome::Rendered);
}

TEST_F(WalkTest, AFailureOfOneSizeDoesNotHideTheOthers) {
  get(kTarget);
  clock.advance(Seconds(3601));
  origin->fail_with(ErrorCode::OriginFailed);
  EXPECT_EQ(get("/shop/p/front.png?w=9&f=webp").entry->meta.status, 502);
  EXPECT_EQ(get("/shop/p/front.png?w=10&f=webp").outcome, Outcome::NegativeHit);
  EXPECT_EQ(get(kTarget).outcome, Outcome::Stale);
}

TEST_F(WalkTest, FreshOnDiskIsServedWhateverHasBecomeOfTheSource) {
  open_disk();
  Answer first = get(kTarget);
  blocking.wait();
  memory.remove(first.entry->meta.key);
  origin->fail_with(ErrorCode::OriginFailed);
  asio::thread_pool again(1);
  Walk later(WalkParts{.policies = policies,
                       .origins = origins,
                       .fetches = fetches,
                       .renderer = renderer,
                       .memory = memory,
                       .disk = disk.get(),
                       .blocking = again,
                       .metrics = metrics,
                       .clock = clock,
                       .render_head = [](Entry&) {}});
  std::vector<int> statuses;
  asio::io_context loop;
  auto work = [&]() -> Task<> {
    Viewing other{.target = "/shop/p/front.png?w=9&f=webp", .hints = {}};
    Answer missing = co_await later.answer(other);
    statuses.push_back(missing.entry->meta.status);
    Viewing kept{.target = kTarget, .hints = {}};
    Answer stored = co_await later.answer(kept);
    statuses.push_back(stored.entry->meta.status);
  };
  asio::co_spawn(loop, work(), asio::detached);
  loop.run();
  EXPECT_EQ(statuses, (std::vector<int>{502, 200}));
  again.join();
}

TEST_F(WalkTest, NothingStaleStandsInForAMissingSource) {
  get(kTarget);
  clock.advance(Seconds(3601));
  origin->remove("p/front.png");
  EXPECT_EQ(get(kTarget).entry->meta.status, 404);
}

TEST_F(WalkTest, DiskOutlivesTheProcess) {
  open_disk();
  Answer first = get(kTarget);
  blocking.join();  // the write behind the answer
  memory.remove(first.entry->meta.key);
  asio::thread_pool fresh_blocking(1);
  Walk again(WalkParts{.policies = policies,
                       .origins = origins,
                       .fetches = fetches,
                       .renderer = renderer,
                       .memory = memory,
                       .disk = disk.get(),
                       .blocking = fresh_blocking,
                       .metrics = metrics,
                       .clock = clock,
                       .render_head = [](Entry& entry) { entry.head = "again"; }});
  std::optional<Answer> second;
  asio::io_context loop;
  auto work = [&]() -> Task<> {
    Viewing viewing{.target = kTarget, .hints = {}};
    second = co_await again.answer(viewing);
  };
  asio::co_spawn(loop, work(), asio::detached);
  loop.run();
  EXPECT_EQ(second->outcome, Outcome::DiskHit);
  EXPECT_EQ(second->entry->body, first.entry->body);
  EXPECT_EQ(second->entry->meta.etag, first.entry->meta.etag);
  EXPECT_EQ(second->entry->head, "again");
  EXPECT_EQ(renderer.renders, 1);
  fresh_blocking.join();
}

// A policy store whose refresh finds a newer version, as when the file changes during a miss.
class ChangingPolicy final : public PolicyStore {
 public:
  explicit ChangingPolicy(Policy before, Policy after)
      : before_(std::move(before)), after_(std::move(after)) {}
  SharedPolicy current() const override { return before_.current(); }
  Task<SharedPolicy> refresh() override {
    before_.replace(after_);
    co_return before_.current();
  }

 private:
  FixedPolicy before_;
  Policy after_;
};

TEST_F(WalkTest, PolicyThatChangedDuringTheFetchNamesTheVariantAnew) {
  Policy after = policy_with();
  after.sites["shop"].presets["card"].transformation.width_px = 6;
  ChangingPolicy changing(policy_with(), after);
  Walk changed(WalkParts{.policies = changing,
                         .origins = origins,
                         .fetches = fetches,
                         .renderer = renderer,
                         .memory = memory,
                         .blocking = blocking,
                         .metrics = metrics,
                         .clock = clock,
                         .render_head = [](Entry&) {}});
  std::optional<Answer> answer;
  asio::io_context loop;
  auto work = [&]() -> Task<> {
    Viewing viewing{.target = "/shop/p/front.png?preset=card&f=webp", .hints = {}};
    answer = co_await changed.answer(viewing);
  };
  asio::co_spawn(loop, work(), asio::detached);
  loop.run();
  EXPECT_EQ(answer->entry->meta.status, 200);
  EXPECT_NE(answer->entry->meta.key.find("w-6"), std::string::npos) << answer->entry->meta.key;
  EXPECT_EQ(renderer.renders, 1);
}

TEST(Failure, EveryCodeHasARuleAndADocument) {
  for (ErrorCode code : {ErrorCode::BadRequest, ErrorCode::Forbidden, ErrorCode::NotFound,
                         ErrorCode::MethodNotAllowed, ErrorCode::Unsupported, ErrorCode::Corrupt,
                         ErrorCode::TooLarge, ErrorCode::OriginFailed, ErrorCode::Timeout,
                         ErrorCode::Busy, ErrorCode::Crashed, ErrorCode::Internal}) {
    const FailureRule& rule = rule_of(code);
    EXPECT_EQ(rule.code, code);
    Entry entry = failure_entry(Error::in_private(code, "secret"), "key", 100);
    EXPECT_EQ(entry.meta.status, rule.status);
    EXPECT_EQ(entry.meta.media_type, "application/problem+json");
    std::string body(text_of(entry.body));
    EXPECT_EQ(body.find("secret"), std::string::npos);
    EXPECT_NE(body.find(std::string("\"code\":\"") + std::string(name_of(code))),
              std::string::npos);
    // docs/errors.md has an anchor for each code.
    std::ifstream docs(TINTYPE_ROOT "/docs/errors.md");
    std::string text((std::istreambuf_iterator<char>(docs)), {});
    EXPECT_NE(text.find(std::string("## ") + std::string(name_of(code))), std::string::npos)
        << name_of(code);
  }
}

}  // namespace
}  // namespace tintype

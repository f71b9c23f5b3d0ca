// SPDX-License-Identifier: Apache-2.0
#include "worker/fault_engine.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <thread>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "worker/message.h"
#include "worker/sample_pictures.h"
#include "worker/sanitizer.h"

namespace tintype::faults {
namespace {

constexpr int kDoorbell = 3;
constexpr const char* kSecret = "wJalrXUtnFEMI-K7MDENG-example-secret";

// Where the secret stood in the memory of the process that forked the zygote.
const char* secret_at = nullptr;

Rendered rendered(std::span<const std::uint8_t> bytes) {
  return {.bytes = Bytes(bytes.begin(), bytes.end()), .size = {2, 1}};
}

Failure say(const std::string& text) {
  return fail_private(ErrorCode::Corrupt, text);
}

[[noreturn]] void spin() {
  static std::atomic<std::uint64_t> turns = 0;
  while (true) ++turns;
}

// Called through a pointer that the compiler cannot see through, or it would refuse the recursion.
int overflow_stack(int depth);
int (*volatile deeper)(int) = overflow_stack;
int overflow_stack(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return deeper(depth + 1) + frame[0];
}

Result<Rendered> crash(std::string_view how) {
  if (how == "segv") {
    volatile int* nowhere = reinterpret_cast<int*>(8);
    *nowhere = 1;
  }
  if (how == "abort") std::abort();
  if (how == "overflow") overflow_stack(0);
  if (how == "throw") throw std::bad_alloc();
  if (how == "exit") ::_exit(0);
  if (how == "eat") {  // 10 GB, touched
    for (int i = 0; i < 100; ++i) {
      const std::vector<char>* piece = new std::vector<char>(100'000'000, 'x');
      if (piece->size() == 1) return say("never");
    }
  }
  if (how == "socket") ::socket(AF_INET, SOCK_STREAM, 0);
  if (how == "fork") ::fork();
  if (how == "execve") ::execl("/bin/true", "true", nullptr);
  if (how == "kill") ::kill(::getppid(), SIGTERM);
  if (how == "exec-page") {
    ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  return say("survived");
}

// Every descriptor below 1,024 that is open, by a call that the filter allows.
std::string open_descriptors() {
  std::string found;
  for (int fd = 0; fd < 1'024; ++fd) {
    if (::lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF) found += std::to_string(fd) + " ";
  }
  return found;
}

// Whatever of the arena is not the source must be zero, whoever had it before. `source` stands at
// its beginning; the areas' sizes are known from settings().
std::string foreign_bytes(ByteView source) {
  const ArenaShape shape = ArenaShape::of(settings());
  const std::uint8_t* end = source.data() + shape.total_bytes();
  const auto count =
      std::count_if(source.data() + source.size(), end, [](std::uint8_t b) { return b != 0; });
  return std::to_string(count);
}

Result<Rendered> probe(std::string_view what, ByteView source) {
  if (what == "descriptors") return say(open_descriptors());
  if (what == "arena") return say(foreign_bytes(source));
  if (what == "environment")
    return say(environ == nullptr || *environ == nullptr ? "empty" : "not");
  if (what == "secret") return say(std::strlen(secret_at) == 0 ? "wiped" : "readable");
  if (what == "open") {
    return say(::open("/etc/passwd", 0) < 0 ? std::strerror(errno) : "opened");
  }
  if (what == "thread") {
    int seen = 0;
    std::thread([&] { seen = 7; }).join();
    return say(std::to_string(seen));
  }
  if (what == "pid") return say(std::to_string(::getpid()));
  return say("unknown probe");
}

void ring(const ReplyMessage& reply) {
  [[maybe_unused]] const ssize_t written = ::write(kDoorbell, &reply, sizeof(reply));
}

// Speaks past worker_main, as a decoder that has been taken over would.
Result<Rendered> lie(std::string_view how) {
  ReplyMessage reply;
  reply.id = 1;  // the first job of a pool
  reply.code = kRenderedCode;
  reply.variant_bytes = 1;
  if (how == "length") reply.variant_bytes = 1'000'000'000;
  if (how == "negative") reply.variant_bytes = static_cast<std::uint64_t>(-1);
  if (how == "empty") reply.variant_bytes = 0;
  if (how == "code") reply.code = 99;
  if (how == "busy") reply.code = static_cast<std::int32_t>(ErrorCode::Busy);
  if (how == "id") reply.id = 4711;
  if (how == "short") {
    [[maybe_unused]] const ssize_t written = ::write(kDoorbell, &reply, 5);
  } else if (how == "long") {
    char much[sizeof(reply) + 1] = {};
    [[maybe_unused]] const ssize_t written = ::write(kDoorbell, much, sizeof(much));
  } else {
    ring(reply);
  }
  spin();
}

Result<Rendered> mislead(std::string_view how) {
  if (how == "format") return rendered(samples::kJpeg16x8);
  if (how == "garbage") return rendered(std::vector<std::uint8_t>(100, 'x'));
  Rendered picture = rendered(samples::kPng2x1);
  if (how == "size") picture.bytes[19] = 200;  // the width in IHDR; its checksum is now wrong too
  if (how == "huge") picture.bytes.resize(60'000'000);
  if (how == "unasked") ring({});
  return picture;
}

Result<Rendered> hoard() {
  auto* kept = new std::vector<char>(kIsSanitized ? 800'000'000 : 100'000'000, 'x');
  if (kept->empty()) return say("never");
  return rendered(samples::kPng2x1);
}

}  // namespace

Result<Rendered> render(const Plan&, ByteView source, const PlanLimits&) {
  const std::string_view text = text_of(source.first(std::min<std::size_t>(source.size(), 64)));
  const auto words = split(text, ' ');
  const std::string_view argument = words.size() > 1 ? words[1] : "";
  if (words[0] == "crash") return crash(argument);
  if (words[0] == "probe") return probe(argument, source);
  if (words[0] == "lie") return lie(argument);
  if (words[0] == "mislead") return mislead(argument);
  if (words[0] == "spin") spin();
  if (words[0] == "hoard") return hoard();
  if (words[0] == "fail") {
    return Failure({.code = ErrorCode::TooLarge,
                    .message = "a\x01 b\xff",
                    .detail = "too wide",
                    .option = "width"});
  }
  return rendered(samples::kPng2x1);
}

RenderEntry entry() {
  return {.prepare = []() -> Result<> { return {}; }, .render = faults::render};
}

WorkerSettings settings() {
  return {.count = 2,
          .max_source_bytes = 20'000'000,
          .max_variant_bytes = 10'000'000,
          .memory_bytes = 1'000'000'000};
}

RenderJob job(std::string_view source) {
  RenderJob job;
  job.plan.encode.format = Format::Png;
  job.plan.canvas = {2, 1};
  job.plan.cost = {.weight = 1, .peak_bytes = 1'000};
  const ByteView bytes = view_of(source);
  job.source = share(Bytes(bytes.begin(), bytes.end()));
  return job;
}

PoolUnderTest::PoolUnderTest(const WorkerSettings& settings, const RenderEntry& entry) {
  Result<Zygote> zygote = Zygote::start(settings, entry);
  if (!zygote) {
    ADD_FAILURE() << zygote.error().message;
    std::abort();  // nothing that follows makes sense
  }
  zygote_pid = zygote->pid();
  auto started = WorkerPool::start(std::move(*zygote), settings, clock);
  if (!started) {
    ADD_FAILURE() << started.error().message;
    std::abort();
  }
  pool = std::move(*started);
}

PoolUnderTest::Answer PoolUnderTest::submit(RenderJob job) {
  auto answer = std::make_shared<std::vector<Result<RenderedVariant>>>();
  asio::co_spawn(loop, pool->render(std::move(job)),
                 [answer](std::exception_ptr error, Result<RenderedVariant> result) {
                   ASSERT_EQ(error, nullptr);
                   answer->push_back(std::move(result));
                 });
  return answer;
}

void PoolUnderTest::wait_until(const std::function<bool()>& is_true) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_true()) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "waited in vain";
    loop.restart();
    loop.run_for(std::chrono::milliseconds(1));
  }
}

std::vector<Result<RenderedVariant>> PoolUnderTest::render_all(std::vector<RenderJob> jobs) {
  std::vector<Answer> answers;
  for (RenderJob& each : jobs) answers.push_back(submit(std::move(each)));
  wait_until([&] {
    return std::all_of(answers.begin(), answers.end(), [](const Answer& a) { return !a->empty(); });
  });
  std::vector<Result<RenderedVariant>> results;
  for (const Answer& answer : answers) {
    results.push_back(answer->empty() ? fail_private(ErrorCode::Internal, "no answer")
                                      : std::move(answer->front()));
  }
  return results;
}

Result<RenderedVariant> PoolUnderTest::render(std::string_view source) {
  std::vector<RenderJob> jobs;
  jobs.push_back(faults::job(source));
  return std::move(render_all(std::move(jobs)).front());
}

void hide_secret_in_environment() {
  ::setenv("AWS_SECRET_ACCESS_KEY", kSecret, 1);
  secret_at = std::getenv("AWS_SECRET_ACCESS_KEY");
}

}  // namespace tintype::faults

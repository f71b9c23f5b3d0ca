// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/policy_store.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// How often a request may cause a look at the file: an edit is in force a second later.
constexpr Milliseconds kMinInterval{1'000};
// A file that was modified this shortly before a look is read again at the next: two writes within
// one tick of the file system's clock (4 ms on common kernels, 2 s on FAT) look alike.
constexpr std::int64_t kSettlingSeconds = 2;
constexpr std::size_t kMaxFileBytes = 4'000'000;  // as YamlReader

// What tells two versions apart without reading them.
struct Identity {
  std::int64_t modified_seconds = 0, modified_nanoseconds = 0, size_bytes = 0;
  std::uint64_t inode = 0, device = 0;
  bool operator==(const Identity&) const = default;
};

struct FileText {
  Identity identity;
  std::string text;
};

Failure fault(const std::string& what, int error) {
  char buffer[128];
  return fail_public(ErrorCode::BadRequest, what + ": " + strerror_r(error, buffer, sizeof buffer));
}

Identity identity_of(const struct stat& state) {
  return {state.st_mtim.tv_sec, state.st_mtim.tv_nsec, state.st_size, state.st_ino, state.st_dev};
}

Result<Identity> look_at(const std::string& path) {
  struct stat state {};
  if (stat(path.c_str(), &state) != 0) return fault("cannot be found", errno);
  return identity_of(state);
}

Result<FileText> read_file(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fault("cannot be opened", errno);
  struct Closer {
    int fd;
    ~Closer() { close(fd); }
  } closer{fd};
  struct stat state {};
  if (fstat(fd, &state) != 0) return fault("cannot be read", errno);
  if (!S_ISREG(state.st_mode)) return fault("is not a file", EINVAL);
  FileText file{identity_of(state), {}};
  char buffer[16384];
  for (;;) {
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n == 0) return file;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fault("cannot be read", errno);
    file.text.append(buffer, static_cast<std::size_t>(n));
    if (file.text.size() > kMaxFileBytes) return fault("is larger than 4 MB", EFBIG);
  }
}

}  // namespace

struct PolicyFile::State {
  State(std::string p, asio::thread_pool& pool, const Clock& c, Check fn)
      : path(std::move(p)), blocking(pool), clock(c), check(std::move(fn)) {}

  const std::string path;
  asio::thread_pool& blocking;
  const Clock& clock;
  const Check check;
  std::atomic<SharedPolicy> policy;

  std::mutex claim_mutex;  // of last_look; never held while waiting for the disk
  Steady last_look;        // claimed before the look, so that one caller goes

  std::mutex mutex;               // of what follows; held during a look
  std::optional<Identity> known;  // seen and judged; nothing: read again
  std::uint64_t judged_hash = 0;  // of the text that was judged last, good or bad
  std::string last_fault;         // said in the log already

  std::string name() const { return std::filesystem::path(path).filename().string(); }

  bool claim_look() {
    std::lock_guard lock(claim_mutex);
    if (clock.now() - last_look < kMinInterval) return false;
    last_look = clock.now();
    return true;
  }

  Result<Policy> judge(const std::string& text) const {
    TRY(Policy policy_read, parse_policy(text, std::filesystem::path(path).parent_path().string()));
    if (check) TRY(check(text));
    return policy_read;
  }

  void remember(const Identity& identity) {
    bool is_settling = std::time(nullptr) - identity.modified_seconds < kSettlingSeconds;
    known = is_settling ? std::nullopt : std::optional(identity);
  }

  // Blocking. Looks, reads, judges and takes over what is new. Holds the mutex: a second look
  // waits.
  void look() {
    std::lock_guard lock(mutex);
    auto seen = look_at(path);
    if (seen && known == *seen) return;
    auto file = read_file(path);
    if (!file) return complain(file.error());
    std::uint64_t hash = xxh3_64(view_of(file->text));
    remember(file->identity);
    if (hash == judged_hash) {
      last_fault.clear();  // an unreadable file that came back as it was
      return;
    }
    judged_hash = hash;
    auto next = judge(file->text);
    if (!next) return complain(next.error());
    take_over(std::move(*next));
  }

  void complain(const Error& error) {
    if (error.detail == last_fault) return;
    last_fault = error.detail;
    log(LogLevel::Error, "policy.refused",
        {{"file", path},
         {"reason", error.detail.empty() ? error.message : error.detail},
         {"revision_in_force", hex_of(policy.load()->revision)}});
  }

  void take_over(Policy next) {
    last_fault.clear();
    std::uint64_t revision = next.revision;
    std::size_t sites = next.sites.size();
    policy.store(std::make_shared<const Policy>(std::move(next)));
    log(LogLevel::Info, "policy.changed",
        {{"file", path}, {"revision", hex_of(revision)}, {"sites", sites}});
  }

  static std::string hex_of(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
  }
};

Result<std::unique_ptr<PolicyFile>> PolicyFile::open(std::string path, asio::thread_pool& blocking,
                                                     const Clock& clock, Check check) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error);
  auto state = std::make_shared<State>(error ? path : absolute.lexically_normal().string(),
                                       blocking, clock, std::move(check));
  auto name_fault = [&](Error fault) {
    if (!fault.detail.empty()) fault.detail = state->name() + ": " + fault.detail;
    fault.message = state->path + ": " + fault.message;
    return fail(std::move(fault));
  };
  auto file = read_file(state->path);
  if (!file) return name_fault(std::move(file).error());
  auto policy = state->judge(file->text);
  if (!policy) return name_fault(std::move(policy).error());
  state->last_look = clock.now();
  state->judged_hash = policy->revision;
  state->remember(file->identity);
  state->policy.store(std::make_shared<const Policy>(std::move(*policy)));
  return std::unique_ptr<PolicyFile>(new PolicyFile(std::move(state)));
}

PolicyFile::PolicyFile(std::shared_ptr<State> state) : state_(std::move(state)) {}
PolicyFile::~PolicyFile() = default;

SharedPolicy PolicyFile::current() const {
  return state_->policy.load();
}

Task<SharedPolicy> PolicyFile::refresh() {
  auto state = state_;
  if (state->claim_look()) {
    auto work = [state] {
      state->look();
      return true;
    };
    co_await run_on(state->blocking, std::move(work));
  }
  co_return state->policy.load();
}

// ---- FixedPolicy

FixedPolicy::FixedPolicy(Policy policy)
    : policy_(std::make_shared<const Policy>(std::move(policy))) {}
SharedPolicy FixedPolicy::current() const {
  return policy_.load();
}
Task<SharedPolicy> FixedPolicy::refresh() {
  co_return policy_.load();
}
void FixedPolicy::replace(Policy policy) {
  policy_.store(std::make_shared<const Policy>(std::move(policy)));
}

}  // namespace tintype

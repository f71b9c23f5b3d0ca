// SPDX-License-Identifier: Apache-2.0
#include "cli/warm_state.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/hash.h"

namespace tintype {
namespace {

constexpr int kBatchLines = 64;
constexpr std::string_view kMagic = "tintype-warm 1 ";

std::uint64_t hash_of(std::string_view text) {
  return xxh3_64(view_of(text));
}

[[nodiscard]] Failure broken(const std::string& path) {
  return fail_public(ErrorCode::Internal, path + ": " + std::strerror(errno));
}

Result<std::string> read_whole(int file, const std::string& path) {
  std::string text;
  char buffer[65'536];
  while (true) {
    ssize_t count = read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return broken(path);
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<WarmState> WarmState::open(const std::string& path, const std::string& site) {
  WarmState state;
  state.path_ = path;
  if (path.empty()) return state;
  state.file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!state.file_) return broken(path);
  if (flock(state.file_.number(), LOCK_EX | LOCK_NB) != 0) {
    return fail_public(ErrorCode::BadRequest,
                       path + ": is in use by another run; wait for it or name another --state");
  }
  TRY(state.read_all(site));
  return state;
}

Result<> WarmState::read_all(const std::string& site) {
  TRY(std::string text, read_whole(file_.number(), path_));
  const std::string head = std::string(kMagic) + site + "\n";
  std::size_t whole = text.rfind('\n') + 1;  // npos + 1 is 0
  if (whole < text.size() && ftruncate(file_.number(), static_cast<off_t>(whole)) != 0) {
    return broken(path_);
  }
  text.resize(whole);
  if (text.empty()) {
    unwritten_ = head;
    return sync();
  }
  if (!text.starts_with(head)) {
    return fail_public(ErrorCode::BadRequest, path_ + ": is not the state of a run for site '" +
                                                  site + "'; name another --state, or remove it");
  }
  std::string_view rest = std::string_view(text).substr(head.size());
  while (!rest.empty()) {
    std::size_t end = rest.find('\n');
    done_.insert(hash_of(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  return {};
}

bool WarmState::is_done(std::string_view what) const {
  return done_.contains(hash_of(what));
}

Result<> WarmState::add(std::string_view what) {
  if (!done_.insert(hash_of(what)).second || !file_) return {};
  unwritten_.append(what).append("\n");
  return ++unwritten_lines_ < kBatchLines ? Result<>() : sync();
}

Result<> WarmState::sync() {
  if (!file_) return {};
  while (!unwritten_.empty()) {
    ssize_t count = write(file_.number(), unwritten_.data(), unwritten_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return broken(path_);
    unwritten_.erase(0, static_cast<std::size_t>(count));
  }
  unwritten_lines_ = 0;
  if (fdatasync(file_.number()) != 0 && errno != EINVAL) return broken(path_);
  return {};
}

void WarmState::remove() {
  if (!file_) return;
  unlink(path_.c_str());
  file_.close();
  unwritten_.clear();
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <algorithm>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

namespace tintype {

Progress::Progress(std::size_t total, std::string noun, const Clock& clock, std::FILE* out)
    : total_(total),
      noun_(std::move(noun)),
      clock_(clock),
      out_(out),
      is_terminal_(isatty(fileno(out)) == 1),
      started_(clock.now()),
      shown_(started_) {}

std::string Progress::line(double seconds, int columns) const {
  std::string tail = " " + std::to_string(done_) + "/" + std::to_string(total_) + " " + noun_;
  if (done_ > 0 && seconds > 0) {
    double pace = static_cast<double>(done_) / seconds;
    tail += ", " + format_decimal(pace, pace < 10 ? 1 : 0) + " a second";
    if (done_ < total_) {
      tail += ", " + format_decimal(static_cast<double>(total_ - done_) / pace, 0) + " s left";
    }
  }
  if (failed_ > 0) tail += ", " + std::to_string(failed_) + " failed";
  int room = std::clamp(columns - static_cast<int>(tail.size()) - 3, 0, 40);
  if (room < 10) return tail.substr(1, static_cast<std::size_t>(std::max(columns, 1)));
  std::size_t width = static_cast<std::size_t>(room);
  std::size_t filled = total_ == 0 ? width : width * done_ / total_;
  return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "]" + tail;
}

void Progress::advance(bool failed) {
  ++done_;
  if (failed) ++failed_;
  show(done_ == total_, done_ % tenth() == 0);
}

void Progress::advance_to(std::size_t done) {
  std::size_t before = std::exchange(done_, std::min(done, total_));
  if (done_ != before) show(done_ == total_, done_ / tenth() != before / tenth());
}

std::size_t Progress::tenth() const {
  return std::max<std::size_t>(1, total_ / 10);
}

void Progress::show(bool last, bool is_tenth) {
  Steady now = clock_.now();
  double seconds = std::chrono::duration<double>(now - started_).count();
  if (is_terminal_) {
    // Ten times a second is smooth enough and costs nothing.
    if (!last && now - shown_ < Milliseconds(100)) return;
    shown_ = now;
    winsize size{};
    int columns = ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    std::fprintf(out_, "\r\033[K%s", line(seconds, columns - 1).c_str());
    std::fflush(out_);
    return;
  }
  if (last || is_tenth) std::fprintf(out_, "%s\n", line(seconds, 100).c_str());
}

void Progress::finish() {
  if (is_terminal_ && done_ > 0) std::fputc('\n', out_);
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// WarmState: what a warm run has done, in a file that the next run goes on from: a line each,
// appended, on the disk after every 64 of them. A run that is killed loses those of the last batch,
// and asks for them again. One process at a time; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/descriptor.h"
#include "base/result.h"

namespace tintype {

class WarmState {
 public:
  // Makes the file, or reads what it holds; a last line that was cut off is dropped. An empty path
  // is a state that is kept nowhere. Fails with BadRequest when the file is another site's or no
  // state at all, or is in use; with Internal when it cannot be read or written.
  static Result<WarmState> open(const std::string& path, const std::string& site);

  bool is_done(std::string_view what) const;
  std::size_t done_count() const { return done_.size(); }
  // Fails with Internal when the file cannot be written.
  Result<> add(std::string_view what);
  Result<> sync();
  // Everything is done: the file goes.
  void remove();

 private:
  Result<> read_all(const std::string& site);

  std::string path_;
  Descriptor file_;
  std::unordered_set<std::uint64_t> done_;  // hashes
  std::string unwritten_;
  int unwritten_lines_ = 0;
};

}  // namespace tintype

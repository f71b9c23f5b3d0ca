// SPDX-License-Identifier: Apache-2.0
// Progress: one line on a terminal that shows how far a long work is, its pace and what is left; on
// anything else a plain line at every tenth. Not thread-safe.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.h"

namespace tintype {

class Progress {
 public:
  // `noun` in the plural: "pictures". Writes to `out` (usually stderr).
  Progress(std::size_t total, std::string noun, const Clock& clock, std::FILE* out);
  void advance(bool failed);
  // So many are done in all; for work that is counted in larger steps. Cheap to call often.
  void advance_to(std::size_t done);
  // Ends the line; afterwards nothing more may be shown.
  void finish();

  // The line as it would be shown `seconds` after the start; `columns` wide at most.
  std::string line(double seconds, int columns) const;

 private:
  void show(bool last, bool is_tenth);
  std::size_t tenth() const;
  std::size_t total_, done_ = 0, failed_ = 0;
  std::string noun_;
  const Clock& clock_;
  std::FILE* out_;
  bool is_terminal_;
  Steady started_, shown_;
};

}  // namespace tintype

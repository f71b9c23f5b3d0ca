// SPDX-License-Identifier: Apache-2.0
// Quarantine: remembers the sources on which render workers died, so that one bad picture cannot
// keep killing them. A bounded list, the longest unseen forgotten first. Thread-safe.
//
// Sources are known by SHA-256, because whoever sends pictures could craft others of equal weaker
// hash and so lock out a picture that is not theirs. Hashing costs about 1 ms for 2 MB, so a source
// is hashed only if its length equals that of a listed one: for nearly all jobs the check is free.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string_view>

#include "base/bytes.h"
#include "base/hash.h"

namespace tintype {

class Quarantine {
 public:
  explicit Quarantine(std::size_t max_sources = 1'024, int max_crashes = 2)
      : max_sources_(max_sources), max_crashes_(max_crashes) {}

  // A worker died on this source under this plan (any text that names it), or lied about it.
  // Returns how often that has happened. The plan is part of the name, because it may be the one at
  // fault: two absurd requests must not take a good picture off the shelf.
  int blame(ByteView source, std::string_view plan = {});
  // True once it has happened max_crashes times.
  bool refuses(ByteView source, std::string_view plan = {});

 private:
  struct Entry {
    Sha256 name;
    std::size_t size_bytes = 0;
    int crashes = 0;
  };
  using Entries = std::list<Entry>;
  // Moves the entry to the front. Requires: mutex_ held.
  Entry* find(const Sha256& name);

  const std::size_t max_sources_;
  const int max_crashes_;
  std::mutex mutex_;
  Entries entries_;  // most recently seen first
  std::map<Sha256, Entries::iterator> by_name_;
  std::multiset<std::size_t> sizes_bytes_;
};

}  // namespace tintype

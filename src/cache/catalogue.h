// SPDX-License-Identifier: Apache-2.0
// Catalogue: what the disk tier must find without opening every file: by key prefix (purge), by
// last use (eviction), by age (expiry). One SQLite file in WAL mode, synchronous=NORMAL: it
// survives a crash of the process whole, a power cut in a consistent, perhaps older state; the
// files are the truth and it can be made anew from them. Anybody may look into it with the sqlite3
// command while the service runs.
//
// Not thread-safe: the disk tier holds its mutex. Every call fails with Corrupt when the catalogue
// is damaged, and with Internal when the disk is full, read-only or failing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace tintype {

struct CatalogueRow {
  Sha256 name{};  // of the file
  std::string key, site, source;
  std::string tags;  // joined by spaces; empty: none
  std::int64_t size_bytes = 0;
  std::int64_t stored_unix_seconds = 0, fresh_until_unix_seconds = 0, used_unix_seconds = 0;
};

struct CatalogueItem {
  Sha256 name{};
  std::int64_t size_bytes = 0;
};

struct CatalogueUse {
  Sha256 name{};
  std::int64_t used_unix_seconds = 0, times = 0;
};

class Catalogue {
 public:
  // `is_suspect`: the last run did not end in order; every page is checked (about a second for a
  // million rows). Makes the file when it is not there.
  static Result<std::unique_ptr<Catalogue>> open(const std::string& file, bool is_suspect);
  // Removes the file and what SQLite keeps beside it.
  static void destroy(const std::string& file);
  ~Catalogue();

  bool was_missing() const;
  std::int64_t bytes() const;
  std::int64_t entries() const;

  // Replaces the row of the same name; its count of uses stays.
  Result<> add(const CatalogueRow& row);
  Result<> remove(std::span<const CatalogueItem> items);
  Result<bool> holds(const Sha256& name);
  Result<> note(std::span<const CatalogueUse> uses);

  using Items = std::vector<CatalogueItem>;
  Result<Items> least_recently_used(int limit);
  Result<Items> fresh_until_before(std::int64_t unix_seconds, int limit);
  // Every key that starts with `prefix`, byte for byte; an empty prefix is every key.
  Result<Items> with_prefix(std::string_view prefix, int limit);
  // Whole rows in the order of keys: those that start with `prefix` and come after the key `after`.
  Result<std::vector<CatalogueRow>> rows_with_prefix(std::string_view prefix,
                                                     std::string_view after, int limit);
  // In the order of names, those after `name`.
  Result<Items> after(const Sha256& name, int limit);

 private:
  struct State;
  explicit Catalogue(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tintype

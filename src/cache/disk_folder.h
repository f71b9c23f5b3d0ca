// SPDX-License-Identifier: Apache-2.0
// DiskFolder: the files of the disk tier. A variant lies at <folder>/ab/cd/<name>, where the name
// is the hexadecimal SHA-256 of its cache key: keys are chosen by clients, names outlive the
// process. Files are written whole under <folder>/tmp and appear by rename; nothing is synced
// (entry_file.h says why). One process at a time owns a folder, by a lock that dies with it.
// Thread-safe: it holds only descriptors.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/hash.h"
#include "base/result.h"
#include "cache/entry.h"
#include "cache/entry_file.h"

namespace tintype {

class DiskFolder {
 public:
  // Creates the folder, locks it and removes temporary files. Fails with Internal when it cannot be
  // made, opened, or belongs to another process. A folder that cannot be written to is opened: it
  // can be read.
  static Result<DiskFolder> open(const std::string& path);

  // Fails with NotFound, Corrupt (see entry_file.h) or Internal (no descriptor left).
  Result<Entry> read(const Sha256& name) const;
  Result<EntryHead> read_head(const Sha256& name) const;
  bool holds(const Sha256& name) const;

  // A complete file under tmp/, named `temporary`. On failure nothing is left behind.
  Result<> write(const std::string& temporary, std::string_view head, ByteView body) const;
  // Gives it its place; replaces what is there.
  Result<> publish(const std::string& temporary, const Sha256& name) const;
  void discard(const std::string& temporary) const;
  // Whether it was there.
  Result<bool> remove(const Sha256& name) const;

  // Visits the name of every variant's file until `visit` says false; returns whether it visited
  // all.
  bool each(const std::function<bool(const Sha256&)>& visit) const;

  // The mark of an orderly end: taken (removed) at start, left at the end.
  bool take_clean_mark() const;
  void leave_clean_mark() const;

  const std::string& path() const { return path_; }

 private:
  Result<Descriptor> open_file(const Sha256& name) const;

  std::string path_;
  Descriptor folder_, temporary_, lock_;
};

}  // namespace tintype

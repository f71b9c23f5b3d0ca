// SPDX-License-Identifier: Apache-2.0
// AuditLog: who had what removed, one JSON line each, appended to a file of its own that outlives
// the logs' rotation. Each line is one write to the file opened anew, so that moving the file away
// is all that rotating takes. Writes that fail are logged and lose the line; nobody waits for them
// beyond the write itself. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace tintype {

class AuditLog {
 public:
  // An empty path: no file.
  explicit AuditLog(std::string path) : path_(std::move(path)) {}

  // `json` without the line's end.
  void write(std::string_view json) const;

 private:
  const std::string path_;
};

}  // namespace tintype

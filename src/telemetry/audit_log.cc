// SPDX-License-Identifier: Apache-2.0
#include "telemetry/audit_log.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// 0, or why not.
int append(const std::string& path, const std::string& line) {
  // Names and paths of a company's pictures: for the service's own group at most.
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (file.number() < 0) return errno;
  ssize_t written = ::write(file.number(), line.data(), line.size());
  if (written < 0) return errno;
  return written == static_cast<ssize_t>(line.size()) ? 0 : ENOSPC;
}

}  // namespace

void AuditLog::write(std::string_view json) const {
  if (path_.empty()) return;
  std::string line(json);
  line += '\n';
  if (int error = append(path_, line); error != 0) {
    log(LogLevel::Error, "audit-line-lost", {{"file", path_}, {"message", std::strerror(error)}});
  }
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "worker/landlock.h"

#include <cstddef>

#include <sys/syscall.h>
#include <unistd.h>

namespace tintype {
namespace {

// struct landlock_ruleset_attr as of ABI 6; Debian 12's header knows the first field only.
struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};

constexpr std::uint32_t kCreateRulesetVersion = 1;

constexpr std::uint64_t lowest_bits(int count) {
  return (std::uint64_t{1} << count) - 1;
}

// Everything the version can deny. The kernel refuses bits and bytes it does not know, so each
// version gets exactly what it introduced (landlock.rst, "Previous limitations").
RulesetAttributes all_rights(std::int32_t abi) {
  int fs_rights = 13;         // ABI 1: execute … make_sym
  if (abi >= 2) fs_rights++;  // refer
  if (abi >= 3) fs_rights++;  // truncate
  if (abi >= 5) fs_rights++;  // ioctl_dev
  return {.handled_access_fs = lowest_bits(fs_rights),
          .handled_access_net = abi >= 4 ? lowest_bits(2) : 0,  // bind_tcp, connect_tcp
          .scoped = abi >= 6 ? lowest_bits(2) : 0};             // abstract unix sockets, signals
}

std::size_t attribute_bytes(std::int32_t abi) {
  if (abi >= 6) return sizeof(RulesetAttributes);
  return abi >= 4 ? offsetof(RulesetAttributes, scoped)
                  : offsetof(RulesetAttributes, handled_access_net);
}

}  // namespace

std::int32_t forbid_files() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  if (abi < 1) return 0;
  const auto version = static_cast<std::int32_t>(abi);
  const RulesetAttributes attributes = all_rights(version);
  const long ruleset =
      ::syscall(SYS_landlock_create_ruleset, &attributes, attribute_bytes(version), 0);
  if (ruleset < 0) return 0;
  const long restricted = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  ::close(static_cast<int>(ruleset));
  return restricted == 0 ? version : 0;
}

}  // namespace tintype

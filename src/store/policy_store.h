// SPDX-License-Identifier: Apache-2.0
// PolicyStore: the port to where the policy is kept, and PolicyFile, the one that reads
// tintype.yaml. current() is what requests use: a pointer copy, never blocks. refresh() looks for a
// newer version; a bad one is refused whole, logged once with its line and reason, and the old one
// stays.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/async.h"
#include "base/result.h"
#include "policy/policy.h"

namespace tintype {

class PolicyStore {
 public:
  virtual ~PolicyStore() = default;
  virtual SharedPolicy current() const = 0;
  // Returns the version in force afterwards. Cheap when nothing changed or when the last look is
  // younger than the store's own minimum interval.
  virtual Task<SharedPolicy> refresh() = 0;
};

// A fixed policy, for tests and `convert`.
class FixedPolicy final : public PolicyStore {
 public:
  explicit FixedPolicy(Policy policy);
  SharedPolicy current() const override;
  Task<SharedPolicy> refresh() override;
  void replace(Policy policy);

 private:
  std::atomic<SharedPolicy> policy_;
};

class PolicyFile final : public PolicyStore {
 public:
  // Reads the file at once; fails with the reason ("tintype.yaml: line 12: …"). `check` is asked
  // about the whole text of every later version too (main/ validates its own sections there).
  using Check = std::function<Result<>(const std::string& text)>;
  static Result<std::unique_ptr<PolicyFile>> open(std::string path, asio::thread_pool& blocking,
                                                  const Clock& clock, Check check = {});
  ~PolicyFile() override;
  SharedPolicy current() const override;
  Task<SharedPolicy> refresh() override;

 private:
  struct State;
  explicit PolicyFile(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tintype

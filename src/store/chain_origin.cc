// SPDX-License-Identifier: Apache-2.0
#include "store/chain_origin.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace tintype {
namespace {

bool says_absent(const ChainLink& link, const Error& error) {
  return error.code == ErrorCode::NotFound ||
         (error.code == ErrorCode::Forbidden && link.forbidden_may_be_absent);
}

// It might be there, but this origin could not be asked.
bool says_nothing(const Error& error) {
  return error.code == ErrorCode::OriginFailed || error.code == ErrorCode::Timeout ||
         error.code == ErrorCode::Busy || error.code == ErrorCode::Internal;
}

// The higher, the more telling. TooLarge and the like end the walk: the source is there.
int weight_of(const ChainLink& link, const Error& error) {
  if (says_nothing(error)) return 4;
  if (error.code == ErrorCode::Forbidden && !link.forbidden_may_be_absent) return 3;
  return error.code == ErrorCode::NotFound ? 2 : 1;
}

// The failures of the origins asked so far, of which one is the answer.
class Verdict {
 public:
  void add(const ChainLink& link, Error error) {
    all_ += (all_.empty() ? "" : "; ") + error.message;
    int weight = weight_of(link, error);
    if (weight <= weight_) return;
    weight_ = weight;
    error_ = std::move(error);
  }
  Failure failure() && {
    error_.message = std::move(all_);
    return fail(std::move(error_));
  }

 private:
  int weight_ = 0;
  Error error_;
  std::string all_;
};

class ChainOrigin final : public Origin {
 public:
  ChainOrigin(std::vector<ChainLink> links, const Clock& clock)
      : links_(std::move(links)), clock_(clock) {}

  Task<Result<Source>> fetch(std::string path, Deadline deadline) override {
    std::optional<SourceVersion> nothing;
    CO_TRY(auto source, co_await ask(std::move(path), std::move(nothing), deadline));
    co_return std::move(*source);  // nothing was known
  }

  Task<Result<std::optional<Source>>> fetch_if_changed(std::string path, SourceVersion known,
                                                       Deadline deadline) override {
    // Which of the origins the known one came from is forgotten. Two objects of one ETag are the
    // same in all likelihood; two of one date are not.
    known.modified_unix_seconds = 0;
    std::optional<SourceVersion> tag;
    if (!known.etag.empty()) tag = std::move(known);
    co_return co_await ask(std::move(path), std::move(tag), deadline);
  }

  // What any of them lists; fails only when none can be listed.
  Task<Result<std::vector<std::string>>> list(std::size_t limit) override {
    std::vector<std::string> paths;
    std::optional<Error> fault;
    bool is_listed = false;
    for (const ChainLink& link : links_) {
      auto listed = co_await link.origin->list(limit);
      if (!listed) {
        if (!fault) fault = std::move(listed).error();
        continue;
      }
      is_listed = true;
      std::move(listed->begin(), listed->end(), std::back_inserter(paths));
    }
    if (!is_listed) co_return fail(std::move(*fault));
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    if (paths.size() > limit) paths.resize(limit);
    co_return paths;
  }

 private:
  Task<Result<std::optional<Source>>> ask(std::string path, std::optional<SourceVersion> known,
                                          Deadline deadline) {
    Verdict verdict;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const ChainLink& link = links_[i];
      Deadline own = i + 1 == links_.size() ? deadline : half_of(deadline);
      auto got = co_await ask_one(link, path, known, own);
      if (got) co_return std::move(*got);
      bool goes_on = says_absent(link, got.error()) || says_nothing(got.error()) ||
                     got.error().code == ErrorCode::Forbidden;
      if (!goes_on) co_return fail(std::move(got).error());
      verdict.add(link, std::move(got).error());
    }
    co_return std::move(verdict).failure();
  }

  static Task<Result<std::optional<Source>>> ask_one(const ChainLink& link, std::string path,
                                                     std::optional<SourceVersion> known,
                                                     Deadline deadline) {
    if (known) {
      co_return co_await link.origin->fetch_if_changed(std::move(path), std::move(*known),
                                                       deadline);
    }
    CO_TRY(Source source, co_await link.origin->fetch(std::move(path), deadline));
    co_return std::optional<Source>(std::move(source));
  }

  Deadline half_of(Deadline deadline) const {
    if (deadline.at == Steady::max()) return deadline;
    auto now = clock_.now();
    return deadline.no_later_than(now + (deadline.at - now) / 2);
  }

  std::vector<ChainLink> links_;
  const Clock& clock_;
};

}  // namespace

std::shared_ptr<Origin> chain_origins(std::vector<ChainLink> links, const Clock& clock) {
  CHECK(!links.empty());
  return std::make_shared<ChainOrigin>(std::move(links), clock);
}

}  // namespace tintype

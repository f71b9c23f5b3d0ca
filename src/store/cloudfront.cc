// SPDX-License-Identifier: Apache-2.0
#include "store/cloudfront.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "store/s3_xml.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

constexpr std::string_view kApi = "/2020-05-31/distribution/";
// CloudFront's limit of a path (quotas, "Maximum length of a path in an invalidation").
constexpr std::size_t kMaxPathBytes = 4'000;
constexpr Milliseconds kCallTimeout{30'000};
// Far above what an invalidation takes: one that cannot be asked after does not count for ever.
constexpr std::chrono::minutes kForgotten{30};

// The text of the first element of this name; empty when there is none. CloudFront's answers have
// no attributes on the elements read here.
std::string element(std::string_view xml, std::string_view name) {
  std::string open = "<" + std::string(name) + ">", close = "</" + std::string(name) + ">";
  std::size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return {};
  begin += open.size();
  std::size_t end = xml.find(close, begin);
  if (end == std::string_view::npos) return {};
  return std::string(trim(xml.substr(begin, end - begin)));
}

bool is_wildcard(std::string_view path) {
  return path.ends_with('*');
}

struct Batch {
  std::vector<std::string> paths;
  std::size_t files = 0, wildcards = 0;
};

std::vector<Batch> batches_of(std::vector<std::string> paths, const CloudFrontSettings& settings) {
  std::vector<Batch> batches;
  for (std::string& path : paths) {
    bool is_wild = is_wildcard(path);
    bool is_full = batches.empty() || (is_wild ? batches.back().wildcards == settings.max_wildcards
                                               : batches.back().files == settings.max_files);
    if (is_full) batches.emplace_back();
    Batch& batch = batches.back();
    ++(is_wild ? batch.wildcards : batch.files);
    batch.paths.push_back(std::move(path));
  }
  return batches;
}

// What an error code of CloudFront's means to us.
Error error_of(const IncomingResponse& response) {
  std::string_view body = text_of(response.body);
  std::string code = element(body, "Code");
  std::string detail = "CloudFront said " + std::to_string(response.status);
  if (!code.empty()) detail += " " + code;
  // Its first line: behind it may stand what was signed.
  std::string text = element(body, "Message");
  text.resize(std::min(text.size(), text.find('\n')));
  std::string message = detail + ": " + text;
  Error error{ErrorCode::OriginFailed, std::move(message), std::move(detail), {}};
  if (code == "AccessDenied" || response.status == 403) {
    error.code = ErrorCode::Forbidden;
    error.detail +=
        "; the task's role needs cloudfront:CreateInvalidation and cloudfront:GetInvalidation";
  } else if (code == "NoSuchDistribution" || response.status == 404) {
    error.code = ErrorCode::NotFound;
    error.detail += "; is the distribution's id right?";
  } else if (code == "TooManyInvalidationsInProgress") {
    error.code = ErrorCode::Busy;
  }
  return error;
}

}  // namespace

Result<std::vector<std::string>> invalidation_paths(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::size_t star = path.find('*');
    bool is_good = path.starts_with('/') && path.size() <= kMaxPathBytes &&
                   (star == std::string::npos || star + 1 == path.size());
    if (!is_good) {
      return fail_public(ErrorCode::BadRequest,
                         "\"" + path.substr(0, 80) +
                             "\" is no path to invalidate: it begins with /, has a * only at its "
                             "end and at most 4,000 bytes");
    }
    // '%' stays: what is encoded is so already.
    std::string encoded = percent_encode(path, "/%*!$&'()+,;=:@");
    if (encoded.find('~') != std::string::npos) {
      std::string other;
      for (char c : encoded) other += c == '~' ? "%7E" : std::string(1, c);
      out.push_back(std::move(other));
    }
    out.push_back(std::move(encoded));
  }
  return out;
}

std::string invalidation_xml(const std::vector<std::string>& paths, std::string_view reference) {
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Paths>"
      "<Quantity>" +
      std::to_string(paths.size()) + "</Quantity><Items>";
  for (const std::string& path : paths) xml += "<Path>" + escape_xml(path) + "</Path>";
  return xml + "</Items></Paths><CallerReference>" + escape_xml(reference) +
         "</CallerReference></InvalidationBatch>";
}

struct CloudFront::State {
  struct InProgress {
    std::string reference;
    std::string id;  // CloudFront's; empty while the call that makes it is under way
    std::size_t files = 0, wildcards = 0;
    Steady since{};
  };
  CloudFrontSettings settings;
  AwsClient& aws;
  const Clock& clock;
  std::mutex mutex;
  std::vector<InProgress> in_progress;  // guarded by mutex

  AwsCall call_to(std::string_view rest) const;
  bool take_place(const Batch& batch, const std::string& reference);
  void name_place(const std::string& reference, std::string id);
  void give_back(const std::string& reference);

  Task<Result<std::string>> create(std::string xml);
  Task<Result<bool>> is_completed(std::string id);
  Task<> clear_completed();
  Task<Result<>> wait(Deadline deadline);
  Task<Result<>> send(Batch batch, std::string reference, Deadline deadline);
};

AwsCall CloudFront::State::call_to(std::string_view rest) const {
  AwsCall call;
  call.service = "cloudfront";
  call.region = "us-east-1";  // a global service, signed there
  call.base_url = settings.endpoint;
  call.path = std::string(kApi) + settings.distribution + std::string(rest);
  call.max_body_bytes = 1'000'000;
  call.deadline = Deadline::after(clock, kCallTimeout);
  return call;
}

// Whether the batch fits into the quota beside what is in progress; then it counts from now on.
bool CloudFront::State::take_place(const Batch& batch, const std::string& reference) {
  std::lock_guard lock(mutex);
  std::size_t files = batch.files, wildcards = batch.wildcards;
  for (const InProgress& one : in_progress) {
    files += one.files;
    wildcards += one.wildcards;
  }
  if (files > settings.max_files || wildcards > settings.max_wildcards) return false;
  in_progress.push_back({reference, {}, batch.files, batch.wildcards, clock.now()});
  return true;
}

void CloudFront::State::name_place(const std::string& reference, std::string id) {
  std::lock_guard lock(mutex);
  auto it = std::ranges::find(in_progress, reference, &InProgress::reference);
  if (it != in_progress.end()) it->id = std::move(id);
}

void CloudFront::State::give_back(const std::string& reference) {
  std::lock_guard lock(mutex);
  auto it = std::ranges::find(in_progress, reference, &InProgress::reference);
  if (it != in_progress.end()) in_progress.erase(it);
}

Task<Result<std::string>> CloudFront::State::create(std::string xml) {
  AwsCall call = call_to("/invalidation");
  call.method = "POST";
  call.headers = {{"content-type", "text/xml"}};
  call.body = share(Bytes(xml.begin(), xml.end()));
  CO_TRY(auto response, co_await aws.call(std::move(call)));
  std::string id = element(text_of(response.body), "Id");
  if (response.status / 100 == 2 && !id.empty()) co_return id;
  co_return fail(error_of(response));
}

Task<Result<bool>> CloudFront::State::is_completed(std::string id) {
  AwsCall call = call_to("/invalidation/" + id);
  CO_TRY(auto response, co_await aws.call(std::move(call)));
  // One that CloudFront no longer knows is over.
  if (response.status == 404) co_return true;
  if (response.status != 200) co_return fail(error_of(response));
  co_return element(text_of(response.body), "Status") == "Completed";
}

Task<> CloudFront::State::clear_completed() {
  std::vector<InProgress> all;
  {
    std::lock_guard lock(mutex);
    std::erase_if(in_progress,
                  [this](const InProgress& one) { return one.since + kForgotten < clock.now(); });
    all = in_progress;
  }
  for (InProgress& one : all) {
    if (one.id.empty()) continue;
    auto completed = co_await is_completed(std::move(one.id));
    if (completed && *completed) give_back(one.reference);
  }
}

// Until the next try.
Task<Result<>> CloudFront::State::wait(Deadline deadline) {
  if (clock.now() + settings.poll_ms > deadline.at) {
    co_return fail_public(ErrorCode::Busy,
                          "CloudFront has had too many invalidations in progress for too long");
  }
  co_await sleep_for(settings.poll_ms);
  co_await clear_completed();
  co_return Result<>{};
}

Task<Result<>> CloudFront::State::send(Batch batch, std::string reference, Deadline deadline) {
  std::string xml = invalidation_xml(batch.paths, reference);
  while (true) {
    while (!take_place(batch, reference)) CO_TRY(co_await wait(deadline));
    std::string body = xml;
    auto created = co_await create(std::move(body));
    if (created) {
      log(LogLevel::Info, "edge-invalidation",
          {{"id", *created}, {"reference", reference}, {"paths", batch.paths.size()}});
      name_place(reference, std::move(*created));
      co_return Result<>{};
    }
    give_back(reference);
    // Others invalidate too: what we count is not all there is.
    if (created.error().code != ErrorCode::Busy) co_return fail(std::move(created).error());
    CO_TRY(co_await wait(deadline));
  }
}

CloudFront::CloudFront(CloudFrontSettings settings, AwsClient& aws, const Clock& clock)
    : state_(new State{.settings = std::move(settings), .aws = aws, .clock = clock}) {}
CloudFront::~CloudFront() = default;

Task<Result<>> CloudFront::invalidate(std::vector<std::string> paths, std::string reference) {
  std::shared_ptr<State> state = state_;
  CO_TRY(auto encoded, invalidation_paths(paths));
  Deadline deadline = Deadline::after(state->clock, state->settings.patience_ms);
  for (Batch& batch : batches_of(std::move(encoded), state->settings)) {
    // The same reference for other paths would be refused.
    std::string all;
    for (const std::string& path : batch.paths) all += path + "\n";
    std::string own = reference + "-" + hex(sha256(view_of(all))).substr(0, 12);
    CO_TRY(co_await state->send(std::move(batch), std::move(own), deadline));
  }
  co_return Result<>{};
}

Task<Result<bool>> CloudFront::is_completed(std::string invalidation) {
  std::shared_ptr<State> state = state_;
  co_return co_await state->is_completed(std::move(invalidation));
}

}  // namespace tintype

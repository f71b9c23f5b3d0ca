// SPDX-License-Identifier: Apache-2.0
#include "store/s3_origin.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "image/format.h"
#include "policy/cache_tag.h"
#include "store/s3_client.h"

namespace tintype {
namespace {

// The studio's list is for people, and a bucket may be a whole archive: one that begins with this
// many other objects shows few pictures.
constexpr std::size_t kMaxListedKeys = 10'000;
constexpr Milliseconds kListTimeout{10'000};

bool is_picture_name(std::string_view path) {
  auto dot = path.rfind('.');
  return dot != std::string_view::npos && format_named(path.substr(dot + 1)).has_value() &&
         is_utf8(path);
}

// S3 itself takes them as names, but what stands between may read them as a way up.
bool has_dot_segment(std::string_view path) {
  auto segments = split(path, '/');
  return std::any_of(segments.begin(), segments.end(),
                     [](std::string_view s) { return s == "." || s == ".."; });
}

bool is_plain_coding(const std::string& coding) {
  std::string word = lower(coding);
  // What some clients leave there of their own way of sending; the stored bytes are plain.
  return word.empty() || word == "identity" || word == "aws-chunked";
}

class S3Origin final : public Origin {
 public:
  S3Origin(const OriginRule& rule, AwsClient& aws, const std::string& region)
      : prefix_(rule.prefix),
        max_bytes_(rule.max_source_bytes),
        client_(aws, {.bucket = rule.bucket,
                      .region = rule.region.empty() ? region : rule.region,
                      .endpoint = rule.endpoint,
                      .timeout_ms = rule.timeout_ms}) {}

  Task<Result<Source>> fetch(std::string path, Deadline deadline) override {
    SourceVersion nothing;
    CO_TRY(auto source, co_await fetch_if_changed(std::move(path), std::move(nothing), deadline));
    co_return std::move(*source);  // nothing was known: S3 gives the object or fails
  }

  Task<Result<std::optional<Source>>> fetch_if_changed(std::string path, SourceVersion known,
                                                       Deadline deadline) override {
    if (path.empty() || has_dot_segment(path)) {
      co_return fail_private(ErrorCode::NotFound, "not a source path: " + path);
    }
    // Member by member: GCC 12 copies an aggregate that is initialized in a coroutine bit by bit.
    S3Client::Wanted wanted;
    wanted.key = prefix_ + path;
    wanted.max_bytes = max_bytes_;
    wanted.unless_etag = std::move(known.etag);
    CO_TRY(auto object, co_await client_.get(std::move(wanted), deadline));
    if (!object) co_return std::optional<Source>();
    if (!is_plain_coding(object->coding)) {
      co_return fail_private(ErrorCode::OriginFailed, "content coding of S3 object " + path);
    }
    Source source;
    source.bytes = std::move(object->bytes);
    source.modified_unix_seconds = object->modified_unix_seconds;
    source.etag = std::move(object->etag);
    source.tags = read_cache_tags(object->metadata["cache-tags"]);
    co_return std::optional<Source>(std::move(source));
  }

  Task<Result<std::vector<std::string>>> list(std::size_t limit) override {
    S3Client::Listing listing{.prefix = prefix_, .after = {}, .limit = kMaxListedKeys};
    Deadline deadline = Deadline::after(SystemClock(), kListTimeout);
    CO_TRY(auto keys, co_await client_.list(std::move(listing), deadline));
    std::vector<std::string> paths;
    for (const std::string& key : keys) {
      if (paths.size() == limit) break;
      std::string path = key.substr(prefix_.size());
      if (is_picture_name(path) && !has_dot_segment(path)) paths.push_back(std::move(path));
    }
    co_return paths;
  }

 private:
  std::string prefix_;
  std::int64_t max_bytes_;
  S3Client client_;
};

}  // namespace

std::unique_ptr<Origin> open_s3_origin(const OriginRule& rule, AwsClient& aws,
                                       const std::string& region) {
  return std::make_unique<S3Origin>(rule, aws, region);
}

}  // namespace tintype

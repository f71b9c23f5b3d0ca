// SPDX-License-Identifier: Apache-2.0
#include "store/s3_variant_store.h"

#include <atomic>
#include <utility>

#include "base/text.h"
#include "policy/bucket_name.h"
#include "store/s3_client.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxKeyBytes = 1'024;  // S3's own
constexpr std::size_t kMaxListed = 1'000;
constexpr std::int64_t kMaxVariantBytes = 256'000'000;  // far above workers.max_variant

// "public, max-age=2592000" -> 2592000; 0 where there is none.
std::int64_t max_age_of(std::string_view cache_control) {
  for (std::string_view part : split(cache_control, ',')) {
    constexpr std::string_view kName = "max-age=";
    std::string_view word = trim(part);
    if (word.starts_with(kName)) return parse_int(word.substr(kName.size())).value_or(0);
  }
  return 0;
}

class S3VariantStore final : public VariantStore {
 public:
  S3VariantStore(const S3VariantStoreSettings& settings, AwsClient& aws)
      : prefix_(settings.prefix),
        client_(aws, {.bucket = settings.bucket,
                      .region = settings.region,
                      .endpoint = settings.endpoint,
                      .timeout_ms = settings.timeout_ms}) {}

  Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) override {
    S3Client::Upload upload;
    CO_TRY(upload.key, key_of(variant.key));
    upload.bytes = variant.bytes;
    upload.media_type = variant.media_type;
    upload.cache_control = variant.cache_control;
    upload.metadata = {{"etag", variant.etag},
                       {"stored", std::to_string(variant.stored_unix_seconds)},
                       {"fresh-until", std::to_string(variant.fresh_until_unix_seconds)},
                       {"tags", variant.tags}};
    upload.only_if_absent = !replace && !is_unconditional_;
    CO_TRY(S3Client::Put put, co_await client_.put(upload, deadline));
    if (put == S3Client::Put::NotConditional) {
      note_unconditional();
      upload.only_if_absent = false;
      CO_TRY(put, co_await client_.put(upload, deadline));
    }
    co_return put == S3Client::Put::AlreadyThere ? Kept::AlreadyThere : Kept::New;
  }

  Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key,
                                                         Deadline deadline) override {
    S3Client::Wanted wanted{.key = {}, .max_bytes = kMaxVariantBytes, .unless_etag = {}};
    CO_TRY(wanted.key, key_of(key));
    auto got = co_await client_.get(std::move(wanted), deadline);
    // Without s3:ListBucket an absent key is Forbidden; the caller can only render either way.
    bool is_absent = !got && (got.error().code == ErrorCode::NotFound ||
                              got.error().code == ErrorCode::Forbidden);
    if (is_absent) co_return std::shared_ptr<const StoredVariant>();
    CO_TRY(auto object, std::move(got));
    co_return variant_of(std::move(key), std::move(*object));
  }

  Task<Result<std::vector<std::string>>> list(std::string prefix, std::string after,
                                              Deadline deadline) override {
    S3Client::Listing listing{.prefix = {}, .after = {}, .limit = kMaxListed};
    CO_TRY(listing.prefix, key_of(prefix));
    if (!after.empty()) {
      CO_TRY(listing.after, key_of(after));
    }
    CO_TRY(auto keys, co_await client_.list(std::move(listing), deadline));
    for (std::string& key : keys) key = "/" + percent_encode(key.substr(prefix_.size()), "/");
    co_return keys;
  }

  Task<Result<>> remove(std::vector<std::string> keys, Deadline deadline) override {
    for (std::string& key : keys) {
      CO_TRY(key, key_of(key));
    }
    co_return co_await client_.remove_many(std::move(keys), deadline);
  }

 private:
  // S3 decodes the path that the edge asks for: so is the key here.
  Result<std::string> key_of(const std::string& path) const {
    auto decoded = path.starts_with('/') ? percent_decode(path.substr(1)) : std::nullopt;
    if (!decoded) return fail_private(ErrorCode::BadRequest, "not a canonical path: " + path);
    std::string key = prefix_ + *decoded;
    if (key.size() <= kMaxKeyBytes) return key;
    return fail_private(ErrorCode::TooLarge, "a key above 1,024 bytes cannot be stored: " + path);
  }

  static std::shared_ptr<const StoredVariant> variant_of(std::string key, S3Object object) {
    auto number = [&](const char* name) { return parse_int(object.metadata[name]).value_or(0); };
    auto variant = std::make_shared<StoredVariant>();
    variant->key = std::move(key);
    variant->bytes = std::move(object.bytes);
    variant->media_type = std::move(object.media_type);
    variant->max_age_seconds = max_age_of(object.cache_control);
    variant->cache_control = std::move(object.cache_control);
    variant->etag = object.metadata["etag"];
    variant->tags = object.metadata["tags"];
    variant->stored_unix_seconds = number("stored");
    variant->fresh_until_unix_seconds = number("fresh-until");
    return variant;
  }

  void note_unconditional() {
    if (is_unconditional_.exchange(true)) return;
    log(LogLevel::Warn, "variant_store.unconditional",
        {{"bucket", client_.place().bucket},
         {"meaning", "this service has no conditional PUT; duplicate renders are not counted"}});
  }

  std::string prefix_;
  S3Client client_;
  std::atomic<bool> is_unconditional_{false};
};

}  // namespace

Result<std::unique_ptr<VariantStore>> open_s3_variant_store(const S3VariantStoreSettings& settings,
                                                            AwsClient& aws) {
  if (!is_bucket_name(settings.bucket)) {
    return fail_public(
        ErrorCode::BadRequest,
        "'" + settings.bucket + "' is not a bucket's name; expected 3 to 63 of a-z 0-9 - and dots");
  }
  if (settings.region.empty()) {
    return fail_public(ErrorCode::BadRequest, "the region of bucket " + settings.bucket +
                                                  " is not known; set it, or AWS_REGION");
  }
  return std::make_unique<S3VariantStore>(settings, aws);
}

}  // namespace tintype

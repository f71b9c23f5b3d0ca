// SPDX-License-Identifier: Apache-2.0
// The texts that AWS credentials come in: the shared credentials file and the JSON of the container
// and instance endpoints; and small files, read whole. Parsing is pure. What is wrong is named
// without quoting the text, which holds secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/aws_credentials.h"

namespace tintype {

// The section [profile] of a shared credentials file; nothing if there is none. Fails with
// Forbidden where the section names no key id or no secret.
Result<std::optional<AwsCredentials>> parse_aws_profile(std::string_view text,
                                                        std::string_view profile);

// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}; the last two may be absent. Fails with
// OriginFailed.
Result<AwsCredentials> parse_aws_credentials_json(std::string_view text);

// RFC 3339, in UTC or with an offset: "2026-11-24T17:09:17Z".
std::optional<std::int64_t> parse_aws_time(std::string_view text);

// A regular file of at most 64 kB; blocks for as long as a disk does. Fails with NotFound.
Result<std::string> read_small_file(const std::string& path);

}  // namespace tintype

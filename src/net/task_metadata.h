// SPDX-License-Identifier: Apache-2.0
// Where the process runs, as ECS tells its tasks (task metadata endpoint, version 4): read once at
// the start, for what traces say of their origin. Names are those of OpenTelemetry's semantic
// conventions (cloud.*, aws.ecs.*, container.*). Without such an endpoint, or when it fails, there
// is simply less to tell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "net/http_client.h"
#include "telemetry/span.h"

namespace tintype {

// From the answers of <uri>/task and <uri>; either may be empty. What is missing or of another kind
// than expected is left out.
std::vector<SpanAttribute> parse_task_metadata(std::string_view task_json,
                                               std::string_view container_json);

// Asks `uri` (ECS_CONTAINER_METADATA_URI_V4) twice. Empty when it fails.
Task<std::vector<SpanAttribute>> read_task_metadata(HttpClient& http, std::string uri,
                                                    Deadline deadline);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// TelemetrySettings: what a process tells of itself beside its logs and /_/metrics: metrics for
// CloudWatch and traces for a collector; the section `telemetry` of tintype.yaml. A plain value,
// held to its rules once by validate().
#pragma once

#include <string>

#include "base/result.h"
#include "net/otlp_exporter.h"
#include "telemetry/emf.h"
#include "telemetry/span.h"

namespace tintype {

struct TelemetrySettings {
  EmfSettings emf;                 // its service and environment are the traces' too
  std::string emf_output = "off";  // stdout, off, or a file
  OtlpSettings traces;             // no endpoint: no spans
  SpanSampling sampling;
};

// Fails with BadRequest naming the field and what is allowed.
Result<> validate(const TelemetrySettings& settings);

}  // namespace tintype

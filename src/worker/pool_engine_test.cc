// SPDX-License-Identifier: Apache-2.0
// The pool with the real engine: plans cross, pictures come back, all formats work inside the
// sandbox.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "image/sniff.h"
#include "plan/plan.h"
#include "worker/fault_engine.h"
#include "worker/sample_pictures.h"

namespace tintype {
namespace {

using faults::PoolUnderTest;

// Fails, rather than aborts, when a source has no plan.
Result<RenderJob> plan_job(Bytes source, Format format, int width_px) {
  RenderJob job;
  TRY(const ImageInfo info, sniff(source));
  Transformation asked;
  asked.width_px = width_px;
  asked.format_auto = false;
  asked.format = format;
  TRY(job.plan, plan(asked, info, job.limits));
  job.source = share(std::move(source));
  return job;
}

Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_renders(PoolUnderTest& test, const Bytes& source, Format format) {
  Result<RenderJob> job = plan_job(source, format, 8);
  ASSERT_TRUE(job) << job.error().message;
  const Size planned = job->plan.variant_size();
  std::vector<RenderJob> jobs;
  jobs.push_back(std::move(*job));
  const Result<RenderedVariant> variant = test.render_all(std::move(jobs)).front();
  ASSERT_TRUE(variant) << name_of(format) << ": " << variant.error().message;
  EXPECT_EQ(variant->size, planned);
  EXPECT_EQ(sniff(variant->bytes)->format, format);
}

TEST(PoolEngine, RendersAJpegToEveryFormatInTheSandbox) {
  PoolUnderTest test(WorkerSettings{.count = 1}, RenderEntry{});
  const Bytes source(std::begin(samples::kJpeg16x8), std::end(samples::kJpeg16x8));
  for (Format format : {Format::Jpeg, Format::Png, Format::Webp, Format::Avif}) {
    expect_renders(test, source, format);
  }
  EXPECT_EQ(test.pool->state().spawned, 1u) << "a worker died";
}

TEST(PoolEngine, ATruncatedSourceIsCorruptAndNobodyDies) {
  PoolUnderTest test(WorkerSettings{.count = 1}, RenderEntry{});
  Bytes source(std::begin(samples::kJpeg16x8), std::end(samples::kJpeg16x8));
  Result<RenderJob> job = plan_job(source, Format::Png, 8);
  ASSERT_TRUE(job) << job.error().message;
  source.resize(40);
  job->source = share(std::move(source));
  std::vector<RenderJob> jobs;
  jobs.push_back(std::move(*job));
  const Result<RenderedVariant> answer = test.render_all(std::move(jobs)).front();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Corrupt) << answer.error().message;
  EXPECT_EQ(test.pool->state().crashed, 0u);
}

// Every file of the corpora that our sniffer and planner let through, hostile ones included:
// whatever the answer, it is an answer, and the pool is whole afterwards. One per line is printed
// on a death, because a death here is a bug of a codec that deserves a report.
TEST(PoolEngine, TheCorporaBreakNothing) {
  const std::filesystem::path corpora = TINTYPE_ROOT "/../shared/corpora";
  if (!std::filesystem::exists(corpora)) GTEST_SKIP() << corpora << " is not there";
  WorkerSettings settings{
      .count = 2, .max_queued_weight = 1e9, .max_queued_bytes = 1'000'000'000'000};
  PoolUnderTest test(settings, RenderEntry{});
  std::vector<RenderJob> jobs;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(corpora)) {
    if (!entry.is_regular_file() || entry.file_size() > 400'000) continue;
    Result<RenderJob> job = plan_job(read_bytes(entry.path()), Format::Jpeg, 64);
    if (!job || job->plan.cost.weight > 30) continue;  // keeps the test short
    jobs.push_back(std::move(*job));
    names.push_back(entry.path().filename());
    if (jobs.size() == 400) break;
  }
  ASSERT_FALSE(jobs.empty());
  const auto results = test.render_all(std::move(jobs));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) continue;
    const ErrorCode code = results[i].error().code;
    if (code == ErrorCode::Crashed) std::printf("killed a worker: %s\n", names[i].c_str());
    EXPECT_TRUE(code == ErrorCode::Corrupt || code == ErrorCode::Unsupported ||
                code == ErrorCode::TooLarge || code == ErrorCode::Crashed)
        << names[i] << ": " << name_of(code) << ", " << results[i].error().message;
  }
  test.wait_until([&] { return test.pool->state().workers == 2; });
}

}  // namespace
}  // namespace tintype

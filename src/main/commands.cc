// SPDX-License-Identifier: Apache-2.0
#include "main/commands.h"

#include <cstdio>
#include <filesystem>

#include <sys/resource.h>

#include "base/text.h"
#include "cli/convert.h"
#include "delivery/explain.h"
#include "main/application.h"
#include "main/backends.h"
#include "main/config_file.h"
#include "main/url_commands.h"
#include "transform/option_docs.h"

namespace tintype {
namespace {

// Sockets, sources and cache files are descriptors; the soft limit of many shells is 1,024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_serve(const std::string& config) {
  auto settings = load_settings(config);
  if (!settings) return complain(settings.error());
  set_log_level(settings->log_level, settings->log_as_text);
  raise_descriptor_limit();
  std::string path = std::filesystem::absolute(config).string();
  auto application = Application::start({.settings = std::move(*settings), .config_path = path});
  if (!application) return complain(application.error());
  log(LogLevel::Info, "serving",
      {{"port", (*application)->port()},
       {"admin_port", (*application)->admin_port()},
       {"config", path}});
  (*application)->run();
  return 0;
}

int run_check_config(const std::string& config) {
  auto settings = load_settings(config);
  if (!settings) return complain(settings.error());
  auto policy = load_policy(config);
  if (!policy) return complain(policy.error());
  std::printf("%s is fine: %zu site%s", config.c_str(), policy->sites.size(),
              policy->sites.size() == 1 ? "" : "s");
  const char* separator = ": ";
  for (const auto& [name, site] : policy->sites) {
    std::printf("%s%s (%s, %zu presets)", separator, name.c_str(), describe(site.origin).c_str(),
                site.presets.size());
    separator = ", ";
  }
  std::printf("\n");
  return 0;
}

namespace {

Result<SitePolicy> site_for_convert(const ConvertArguments& arguments) {
  if (arguments.config.empty()) {
    // A person converting own pictures sets the limits by what the machine can do, not by policy.
    SitePolicy site;
    site.name = "local";
    site.limits = {.max_width_px = kMaxSide,
                   .max_height_px = kMaxSide,
                   .max_variant_pixels = 200'000'000,
                   .max_source_pixels = 200'000'000,
                   .max_progressive_pixels = 100'000'000};
    site.unknown_parameters = UnknownParameters::Refuse;
    return site;
  }
  TRY(Policy policy, load_policy(arguments.config));
  if (arguments.site.empty()) return policy.sites.begin()->second;
  if (const SitePolicy* site = policy.find(arguments.site)) return *site;
  return fail_public(ErrorCode::NotFound,
                     arguments.config + ": has no site named " + arguments.site, "site");
}

void report(const ConvertReport& report) {
  for (const std::string& fault : report.faults)
    std::fprintf(stderr, "tintype: %s\n", fault.c_str());
  if (report.converted == 0) return;
  std::printf("%zu picture%s, %s -> %s", report.converted, report.converted == 1 ? "" : "s",
              human_bytes(report.source_bytes).c_str(), human_bytes(report.variant_bytes).c_str());
  if (report.failed > 0) std::printf(", %zu failed", report.failed);
  std::printf("\n");
}

}  // namespace

int run_convert(const ConvertArguments& arguments) {
  set_log_level(LogLevel::Warn, true);
  auto site = site_for_convert(arguments);
  if (!site) return complain(site.error(), 2);
  WorkerSettings workers;
  workers.max_queued_weight = 1e9;  // nobody else waits: the lanes below are the bound
  workers.render_timeout_ms = Milliseconds(60'000);
  SystemClock clock;
  auto zygote = Zygote::start(workers);
  if (!zygote) return complain(zygote.error());
  auto pool = WorkerPool::start(std::move(*zygote), workers, clock);
  if (!pool) return complain(pool.error());
  PoolRenderer renderer(**pool);
  ConvertOrder order{.in = arguments.in,
                     .out = arguments.out,
                     .options = arguments.options,
                     .site = std::move(*site),
                     .at_once = 2 * std::max(1, (*pool)->state().workers)};
  auto done = convert(order, renderer, clock);
  if (!done) return complain(done.error(), 2);
  report(*done);
  return done->failed == 0 ? 0 : 1;
}

int run_explain(const ExplainArguments& arguments) {
  auto headers = hints_of(arguments.headers);
  if (!headers) return complain(headers.error(), 2);
  auto policy = load_policy(arguments.config);
  if (!policy) return complain(policy.error(), 2);
  SystemClock clock;
  asio::thread_pool blocking(1);
  // Without the service's caches: they belong to the process that serves.
  auto backends = Backends::open(
      Settings{}, {.reads = blocking, .clock = clock, .environment = process_environment()});
  if (!backends) return complain(backends.error(), 2);
  FixedPolicy policies(std::move(*policy));
  ExplainParts parts{.policies = policies,
                     .origins = (*backends)->origins(),
                     .clock = clock,
                     .with_source = !arguments.no_source};
  asio::io_context loop;
  Explanation explanation;
  auto work = [&]() -> Task<> { explanation = co_await explain(arguments.url, *headers, parts); };
  asio::co_spawn(loop, work(), asio::detached);
  loop.run();
  blocking.join();  // a read that was given up on would post to the loop
  std::printf("%s\n", arguments.as_json ? explanation.json.c_str() : explanation.text.c_str());
  return explanation.ok ? 0 : 1;
}

int run_options() {
  std::printf("%s", options_as_markdown().c_str());
  return 0;
}

int run_settings() {
  std::printf("%s", settings_as_markdown().c_str());
  return 0;
}

int run_version(const char* version) {
  std::printf("tintype %s\n", version);
  return 0;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "main/warm_command.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <asio/signal_set.hpp>
#include <unistd.h>

#include "base/text.h"
#include "cli/progress.h"
#include "cli/sitemap.h"
#include "cli/warm.h"
#include "cli/warm_sources.h"
#include "delivery/standard_variants.h"
#include "main/backends.h"
#include "main/config_file.h"
#include "net/http_client.h"
#include "replay/quantity.h"
#include "store/s3_client.h"

namespace tintype {
namespace {

// A render may wait for others, and for its source; above the service's own deadline of 20 s.
constexpr Milliseconds kAskTimeout{60'000};
constexpr Milliseconds kFirstByteTimeout{30'000};
constexpr std::int64_t kMaxVariantBytes = 100'000'000;
constexpr std::size_t kAllSources = 50'000'000;  // more than a machine's memory would hold

[[nodiscard]] Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

bool is_url(const std::string& where) {
  return where.starts_with("http://") || where.starts_with("https://");
}

// ---- inputs

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) return fail_public(ErrorCode::NotFound, path + ": cannot be read");
  return text;
}

Result<std::string> fetch(HttpClient& http, const Clock& clock, const std::string& url) {
  OutgoingRequest request;
  request.url = url;
  request.allow_private_addresses = true;
  request.max_body_bytes = kMaxSitemapBytes;
  request.deadline = Deadline::after(clock, kAskTimeout);
  auto response = run_to_end(http.send(std::move(request)));
  if (!response) return fail_public(response.error().code, url + ": " + response.error().message);
  if (response->status != 200) {
    return fail_public(ErrorCode::OriginFailed,
                       url + ": answered with " + std::to_string(response->status));
  }
  return std::string(text_of(response->body));
}

// A bucket's keys below the rule's prefix, however many: pages of a thousand.
Result<std::vector<std::string>> list_bucket(const OriginRule& rule, Backends& backends) {
  SystemClock clock;
  S3Place place{.bucket = rule.bucket,
                .region = rule.region.empty() ? backends.region() : rule.region,
                .endpoint = rule.endpoint};
  S3Client client(backends.aws(), place);
  std::vector<std::string> sources;
  constexpr std::size_t kPage = 1'000;
  S3Client::Listing listing{.prefix = rule.prefix, .after = {}, .limit = kPage};
  while (true) {
    TRY(auto keys, run_to_end(client.list(listing, Deadline::after(clock, kAskTimeout))));
    for (const std::string& key : keys) {
      if (is_picture_name(key)) sources.push_back(key.substr(rule.prefix.size()));
    }
    if (keys.size() < kPage) return sources;
    listing.after = keys.back();
  }
}

// Everything that the site's origin lists: a folder, or a bucket.
Result<std::vector<std::string>> list_origin(const std::string& config, const SitePolicy& site) {
  TRY(Settings settings, load_settings(config));
  SystemClock clock;
  asio::thread_pool reads(1);
  Environment environment = process_environment();
  // Without the service's caches: they belong to the process that serves.
  settings.disk.reset();
  settings.sources.reset();
  settings.variants.reset();
  TRY(auto backends,
      Backends::open(settings, {.reads = reads, .clock = clock, .environment = environment}));
  Result<std::vector<std::string>> listed;
  if (site.origin.kind == OriginRule::Kind::S3) {
    listed = list_bucket(site.origin, *backends);
  } else {
    TRY(auto origin, backends->origins().of(site));
    listed = run_to_end(origin->list(kAllSources));
  }
  reads.join();
  backends->stop();
  if (!listed) {
    return fail_public(listed.error().code, "--bucket: the origin of site '" + site.name +
                                                "' cannot be listed: " + listed.error().message);
  }
  return listed;
}

Result<> read_inputs(const WarmArguments& arguments, const SitePolicy& site, WarmSources& sources) {
  if (!arguments.pattern.empty() && arguments.skus.empty()) return refuse("--pattern needs --skus");
  if (!arguments.skus.empty()) TRY(sources.add_skus(arguments.skus, arguments.pattern));
  if (!arguments.list.empty()) TRY(sources.add_listing(arguments.list));
  if (!arguments.log.empty()) {
    TRY(sources.add_log(arguments.log, arguments.limit > 0 ? arguments.limit : kAllSources));
  }
  if (!arguments.sitemap.empty()) {
    SystemClock clock;
    HttpClient http({}, clock);
    auto read = [&](const std::string& where) {
      return is_url(where) ? fetch(http, clock, where) : read_file(where);
    };
    TRY(sources.add_sitemap(arguments.sitemap, read));
  }
  if (arguments.from_origin) {
    TRY(auto listed, list_origin(arguments.config, site));
    sources.add_all(listed);
  }
  return {};
}

Result<const SitePolicy*> find_site(const Policy& policy, const WarmArguments& arguments) {
  if (arguments.site.empty() && policy.sites.size() == 1) return &policy.sites.begin()->second;
  if (const SitePolicy* site = policy.find(arguments.site)) return site;
  std::string names;
  for (const auto& [name, site] : policy.sites) names += (names.empty() ? "" : ", ") + name;
  return refuse("--site " + arguments.site + ": must be one of " + names);
}

// "avif", "webp", "none": what a browser's Accept would say.
Result<std::vector<std::string>> accepts_named(const std::vector<std::string>& names) {
  std::vector<std::string> accepts;
  for (const std::string& name : names) {
    auto format = format_named(name);
    bool is_known = name == "none" || (format && is_encodable(*format));
    if (!is_known) return refuse("--accept " + name + ": must be avif, webp or none");
    accepts.emplace_back(name == "none" ? std::string_view() : media_type_of(*format));
  }
  return accepts;
}

Result<> check_numbers(const WarmArguments& arguments) {
  if (!(arguments.rate_per_second >= 0.01 && arguments.rate_per_second <= 10'000)) {
    return refuse("--rate: must be 0.01 to 10000 a second");
  }
  if (arguments.at_once < 1 || arguments.at_once > 256)
    return refuse("--at-once: must be 1 to 256");
  return {};
}

Result<WarmPlan> plan_of(const WarmArguments& arguments, const SitePolicy& site,
                         std::vector<std::string> sources) {
  TRY(check_numbers(arguments));
  WarmPlan plan{.site = site,
                .sources = std::move(sources),
                .presets = arguments.presets,
                .accepts = accepts_of(site),
                .servers = arguments.servers,
                .each_server = arguments.each_server,
                .rate_per_second = arguments.rate_per_second,
                .at_once = arguments.at_once};
  if (arguments.limit > 0 && plan.sources.size() > arguments.limit) {
    plan.sources.resize(arguments.limit);
  }
  if (plan.presets.empty()) {
    for (const auto& [name, options] : site.presets) plan.presets.push_back(name);
  }
  if (plan.presets.empty()) return refuse("warm: site '" + site.name + "' has no presets");
  for (const std::string& preset : plan.presets) {
    if (!site.presets.contains(preset)) {
      return refuse("--presets " + preset + ": site '" + site.name + "' has no such preset");
    }
  }
  if (!arguments.accepts.empty()) {
    TRY(plan.accepts, accepts_named(arguments.accepts));
  }
  for (std::string& server : plan.servers) {
    if (!is_url(server)) return refuse("--server " + server + ": must be a URL");
    while (server.ends_with('/')) server.pop_back();
  }
  return plan;
}

Result<WarmAssumption> assumption_of(const WarmArguments& arguments) {
  WarmAssumption assumption;
  if (arguments.source_size.empty()) return assumption;
  auto sides = split(arguments.source_size, 'x');
  auto width = parse_int(sides.front()), height = parse_int(sides.back());
  constexpr std::int64_t kMaxSidePx = 65'535;
  bool is_size = sides.size() == 2 && width && height && *width > 0 && *height > 0 &&
                 *width <= kMaxSidePx && *height <= kMaxSidePx;
  if (!is_size) return refuse("--source-size " + arguments.source_size + ": such as 4000x3000");
  assumption.source = {static_cast<std::int32_t>(*width), static_cast<std::int32_t>(*height)};
  return assumption;
}

Result<std::vector<std::pair<std::string, std::string>>> headers_of(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const std::string& text : texts) {
    std::size_t colon = text.find(':');
    if (colon == std::string::npos) return refuse("-H '" + text + "': must be 'Name: value'");
    headers.emplace_back(trim(std::string_view(text).substr(0, colon)),
                         trim(std::string_view(text).substr(colon + 1)));
  }
  return headers;
}

// ---- the run

class Warming {
 public:
  Warming(const WarmPlan& plan, WarmState& state, std::uint64_t requests,
          std::vector<std::pair<std::string, std::string>> headers)
      : plan_(plan),
        state_(state),
        headers_(std::move(headers)),
        progress_(requests, "variants", clock_, stderr) {}

  WarmReport run() {
    WarmRun::Parts parts{.ask = [this](std::string url) { return ask(std::move(url)); },
                         .on_step = [this](bool failed) { progress_.advance(failed); },
                         .state = state_,
                         .clock = clock_};
    WarmRun run(plan_, std::move(parts));
    asio::io_context loop;
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    auto obey = [&]() -> Task<> {
      std::error_code error;
      auto wait = asio::redirect_error(asio::use_awaitable, error);
      co_await signals.async_wait(wait);
      if (error) co_return;
      std::fputs("\nstopping; again to stop at once\n", stderr);
      run.stop();
      co_await signals.async_wait(wait);
      // What the last batch did is asked for again by the next run.
      if (!error) std::_Exit(1);
    };
    auto work = [&]() -> Task<> {
      co_await run.run();
      signals.cancel();
    };
    asio::co_spawn(loop, obey(), asio::detached);
    asio::co_spawn(loop, work(), asio::detached);
    loop.run();
    progress_.finish();
    return run.report();
  }

 private:
  static HttpClientSettings settings() {
    HttpClientSettings settings;
    settings.first_byte_timeout_ms = kFirstByteTimeout;
    return settings;
  }

  Task<Result<WarmReply>> ask(std::string url) {
    OutgoingRequest request;
    request.url = std::move(url);
    request.headers = headers_;
    request.headers.emplace_back("User-Agent", "tintype-warm");
    request.allow_private_addresses = true;
    request.max_body_bytes = kMaxVariantBytes;
    request.deadline = Deadline::after(clock_, kAskTimeout);
    auto response = co_await http_.send(std::move(request));
    if (!response) co_return fail_public(response.error().code, response.error().message);
    WarmReply reply{.status = response->status,
                    .size_bytes = static_cast<std::int64_t>(response->body.size())};
    reply.retry_after_seconds = parse_int(response->header("retry-after")).value_or(0);
    co_return reply;
  }

  const WarmPlan& plan_;
  WarmState& state_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  SystemClock clock_;
  HttpClient http_{settings(), clock_};
  Progress progress_;
};

void print_report(const WarmReport& report, double seconds) {
  for (const auto& [what, why] : report.faults) {
    std::fprintf(stderr, "tintype: %s: %s\n", what.c_str(), why.c_str());
  }
  if (report.failed > report.faults.size()) {
    std::fprintf(stderr, "tintype: and %s more\n",
                 grouped(report.failed - report.faults.size()).c_str());
  }
  std::printf("%s variants, %s in %s s", grouped(report.done).c_str(),
              human_bytes(static_cast<std::uint64_t>(report.size_bytes)).c_str(),
              format_decimal(seconds, 1).c_str());
  if (report.skipped > 0) std::printf("; %s were done before", grouped(report.skipped).c_str());
  if (report.held_back > 0)
    std::printf("; asked to wait %s times", grouped(report.held_back).c_str());
  if (report.failed > 0) std::printf("; %s failed", grouped(report.failed).c_str());
  std::printf("\n");
}

std::string state_path(const WarmArguments& arguments, const SitePolicy& site) {
  return arguments.state.empty() ? "tintype-warm-" + site.name + ".state" : arguments.state;
}

Result<int> warm(const WarmArguments& arguments, const WarmPlan& plan, std::uint64_t requests) {
  if (plan.servers.empty()) return refuse("warm: name a --server, or --dry-run for the estimate");
  TRY(auto headers, headers_of(arguments.headers));
  std::string path = state_path(arguments, plan.site);
  if (arguments.fresh) unlink(path.c_str());
  TRY(WarmState state, WarmState::open(path, plan.site.name));
  SystemClock clock;
  Steady started = clock.now();
  WarmReport report = Warming(plan, state, requests, std::move(headers)).run();
  print_report(report, std::chrono::duration<double>(clock.now() - started).count());
  if (!report.state_fault.empty()) {
    return fail_public(ErrorCode::Internal, "stopped: " + report.state_fault);
  }
  if (report.is_complete && report.failed == 0) {
    state.remove();
    return 0;
  }
  std::printf("%s; the same command goes on with what is left (%s knows what is done)\n",
              report.is_complete ? "not all could be had" : "stopped", path.c_str());
  return 1;
}

Result<int> run(const WarmArguments& arguments) {
  TRY(Policy policy, load_policy(arguments.config));
  TRY(const SitePolicy* site, find_site(policy, arguments));
  TRY(WarmAssumption assumption, assumption_of(arguments));
  WarmSources sources(policy, site->name, arguments.strip_prefix);
  TRY(read_inputs(arguments, *site, sources));
  if (sources.passed_over() > 0) {
    std::fprintf(stderr, "%s lines or URLs name no source of site '%s', such as %s\n",
                 grouped(sources.passed_over()).c_str(), site->name.c_str(),
                 sources.example().c_str());
  }
  if (sources.sources().empty()) {
    return refuse("warm: no sources; name --skus, --sitemap, --log, --list or --bucket");
  }
  TRY(WarmPlan plan, plan_of(arguments, *site, sources.sources()));
  WarmEstimate estimate = estimate_warm(plan, assumption);
  std::printf("%s", describe(estimate, plan, arguments.prices).c_str());
  std::fflush(stdout);
  if (arguments.dry_run) return 0;
  return warm(arguments, plan, estimate.requests + estimate.impossible);
}

void add_input_options(CLI::App& warm, WarmArguments& a) {
  warm.add_option("--skus", a.skus, "A file of SKUs or source paths, one a line; - reads them");
  warm.add_option("--pattern", a.pattern, "Where a SKU's picture is: 'p/{}/front.jpg'");
  warm.add_option("--sitemap", a.sitemap, "A sitemap or its index, file or URL, plain or gzip");
  warm.add_option("--log", a.log, "An access log as `replay` reads: the most asked first");
  warm.add_option("--list", a.list, "A listing: keys, or what `aws s3 ls --recursive` prints");
  warm.add_flag("--bucket", a.from_origin, "Everything that the site's origin lists");
  warm.add_option("--strip-prefix", a.strip_prefix,
                  "Cut off URLs and keys first: https://dam.example/assets/");
  warm.add_option("--limit", a.limit, "So many sources at most");
}

void add_run_options(CLI::App& warm, WarmArguments& a) {
  warm.add_option("--server", a.servers, "Edges or services, as URLs; several take turns");
  warm.add_flag("--each", a.each_server, "Ask each server for everything");
  warm.add_option("-H,--header", a.headers, "Sent with each request: 'X-Origin-Verify: …'");
  warm.add_option("--rate", a.rate_per_second, "Requests a second")->capture_default_str();
  warm.add_option("--at-once", a.at_once, "Requests under way")->capture_default_str();
  warm.add_option("--state", a.state, "What is done (default: tintype-warm-<site>.state)");
  warm.add_flag("--fresh", a.fresh, "Forget what an earlier run did");
  warm.add_flag("--dry-run", a.dry_run, "Only estimate");
  warm.add_option("--source-size", a.source_size, "Of the estimate's sources: 4000x3000");
  warm.add_option("--usd-cpu-hour", a.prices.cpu_hour, "Prices, for the estimate's lines of them");
  warm.add_option("--usd-gb-month", a.prices.gb_stored_month, "…");
  warm.add_option("--usd-million-puts", a.prices.million_puts, "…");
  warm.add_option("--usd-million-requests", a.prices.million_requests, "…");
}

}  // namespace

void add_warm(CLI::App& app, int& code) {
  auto* warm = app.add_subcommand("warm", "Have standard variants made before viewers ask");
  warm->footer(
      "Examples:\n"
      "  tintype warm --skus new.txt --pattern 'p/{}/front.jpg' --server http://127.0.0.1:8080\n"
      "  tintype warm --sitemap https://shop.example/sitemap.xml --presets card,hero --dry-run\n"
      "  tintype warm --log access.log.gz --limit 10000 --server https://img.shop.example");
  auto arguments = std::make_shared<WarmArguments>();
  WarmArguments& a = *arguments;
  warm->add_option("--config,-c", a.config, "Settings and sites")->capture_default_str();
  warm->add_option("--site", a.site, "Whose pictures (default: the only one)");
  add_input_options(*warm, a);
  warm->add_option("--presets", a.presets, "Such as card,hero (default: all)")->delimiter(',');
  warm->add_option("--accept", a.accepts, "Of avif, webp, none (default: all that the site has)")
      ->delimiter(',');
  add_run_options(*warm, a);
  warm->callback([arguments, &code] { code = run_warm(*arguments); });
}

int run_warm(const WarmArguments& arguments) {
  auto code = run(arguments);
  if (code) return *code;
  return complain(code.error(), code.error().code == ErrorCode::BadRequest ? 2 : 1);
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "main/replay_command.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/progress.h"
#include "main/config_file.h"
#include "replay/line_source.h"
#include "replay/quantity.h"
#include "replay/replay.h"
#include "replay/report.h"
#include "replay/synthetic.h"

namespace tintype {
namespace {

[[nodiscard]] Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

Result<LayerSizes> layers_of(const ReplayArguments& arguments) {
  LayerSizes layers;
  if (arguments.edges < 1 || arguments.edges > 1000) {
    return refuse("--edges " + std::to_string(arguments.edges) + ": must be 1 to 1000");
  }
  layers.edges = arguments.edges;
  TRY(layers.edge_bytes, parse_size_bytes(arguments.edge_cache, "--edge-cache"));
  TRY(layers.shield_bytes, parse_size_bytes(arguments.shield_cache, "--shield-cache"));
  TRY(layers.ttl, parse_duration(arguments.ttl, "--ttl"));
  TRY(layers.store_ttl, parse_duration(arguments.store_ttl, "--store-ttl"));
  if (arguments.store_entries < 2 || arguments.store_entries > 1'000'000'000) {
    return refuse("--store-entries " + std::to_string(arguments.store_entries) +
                  ": must be 2 to 1000000000");
  }
  layers.store_entries = arguments.store_entries;
  return layers;
}

Result<Mount> mount_of(const std::string& text, const std::string& site) {
  std::size_t equals = text.rfind('=');
  auto dialect =
      equals == std::string::npos ? std::nullopt : dialect_named(text.substr(equals + 1));
  if (!dialect || !text.starts_with('/')) {
    std::string names;
    for (std::string_view name : dialect_names()) {
      names.append(names.empty() ? "" : ", ").append(name);
    }
    return refuse("--mount " + text + ": must be PATH=LANGUAGE such as /=imgix; languages are " +
                  names);
  }
  std::string path = text.substr(0, equals);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return Mount{.path = path, .dialect = *dialect, .site = site};
}

// A settings file's rules; without one, a plain site that every path belongs to.
Result<SharedPolicy> policy_of(const ReplayArguments& arguments) {
  Policy policy;
  std::string site_name = arguments.site;
  if (!arguments.config.empty()) {
    TRY(policy, load_policy(arguments.config));
    if (policy.find(site_name) == nullptr) site_name = policy.sites.begin()->first;
  } else {
    SitePolicy site;
    site.name = site_name;
    policy.sites.emplace(site_name, std::move(site));
    policy.mounts.push_back({.path = "/", .dialect = Dialect::Native, .site = site_name});
  }
  for (const std::string& text : arguments.mounts) {
    TRY(Mount mount, mount_of(text, site_name));
    std::erase_if(policy.mounts, [&](const Mount& other) { return other.path == mount.path; });
    policy.mounts.push_back(std::move(mount));
  }
  return std::make_shared<const Policy>(std::move(policy));
}

SyntheticShape shape_of(const ReplayArguments& arguments) {
  return {.requests = arguments.requests,
          .seed = arguments.seed,
          .products = arguments.products,
          .zipf = arguments.zipf,
          .churn_per_day = arguments.churn,
          .noise_share = arguments.noise};
}

std::string replay_synthetic(const ReplayArguments& arguments, Replay& replay) {
  SystemClock clock;
  SyntheticTraffic traffic(shape_of(arguments));
  Progress progress(arguments.requests, "requests", clock, stderr);
  SyntheticRequest request;
  std::uint64_t done = 0;
  while (traffic.next(request)) {
    replay.take(ReplayRequest{.target = request.target,
                              .accept = request.accept,
                              .edge = request.region,
                              .unix_seconds = request.unix_seconds,
                              .size_bytes = request.size_bytes});
    if (++done % 8192 == 0) progress.advance_to(done);
  }
  progress.advance_to(done);
  progress.finish();
  return "Synthetic traffic: " + grouped(traffic.shape().requests) + " requests for " +
         grouped(traffic.shape().products) + " products, seed " +
         std::to_string(traffic.shape().seed);
}

// The lines of all logs, one after the other.
class LogReplay {
 public:
  LogReplay(LogReader reader, Replay& replay) : reader_(std::move(reader)), replay_(replay) {}

  Result<> run(const std::vector<std::string>& paths) {
    std::int64_t total_bytes = 0;
    bool is_sized = true;
    for (const std::string& path : paths) {
      TRY(std::int64_t size_bytes, log_size_bytes(path));
      total_bytes += size_bytes;
      is_sized = is_sized && size_bytes > 0;
    }
    if (is_sized) {
      progress_ = std::make_unique<Progress>(static_cast<std::size_t>(total_bytes / kUnitBytes + 1),
                                             "MB", clock_, stderr);
    }
    // One is open at a time: there may be more logs than descriptors.
    for (const std::string& path : paths) {
      TRY(LineSource source, LineSource::open(path));
      TRY(read(source));
      before_bytes_ += source.size_bytes();
    }
    if (progress_) progress_->finish();
    return {};
  }

 private:
  static constexpr std::int64_t kUnitBytes = 1'000'000;

  Result<> read(LineSource& source) {
    std::string line;
    for (std::uint64_t number = 1;; ++number) {
      TRY(bool has_line, source.next(line));
      if (!has_line) return {};
      auto read = reader_.read(line);
      if (!read) {
        replay_.count_unreadable(number, read.error());
      } else if (*read) {
        replay_.take(**read);
      }
      if (progress_ && number % 4096 == 0) {
        std::int64_t done_bytes = before_bytes_ + source.done_bytes();
        progress_->advance_to(static_cast<std::size_t>(done_bytes / kUnitBytes));
      }
    }
  }

  LogReader reader_;
  Replay& replay_;
  SystemClock clock_;
  std::unique_ptr<Progress> progress_;
  std::int64_t before_bytes_ = 0;
};

Result<std::string> replay_logs(const ReplayArguments& arguments, Replay& replay) {
  std::optional<LogFormat> format;
  if (!arguments.format.empty()) {
    format = log_format_named(arguments.format);
    if (!format) {
      return refuse("--format " + arguments.format + ": must be one of " + log_format_names());
    }
  }
  std::vector<std::string> fields;
  for (std::string_view field : split(arguments.fields, ',')) {
    if (!trim(field).empty()) fields.emplace_back(trim(field));
  }
  TRY(LogReader reader, LogReader::make(format, fields));
  TRY(LogReplay(std::move(reader), replay).run(arguments.logs));
  if (arguments.logs.size() == 1) return "Replay of " + arguments.logs.front();
  return "Replay of " + std::to_string(arguments.logs.size()) + " logs, from " +
         arguments.logs.front();
}

Result<> check(const ReplayArguments& arguments) {
  if (arguments.is_synthetic != arguments.logs.empty()) {
    return refuse("replay: name LOG files, - for standard input, or --synthetic");
  }
  if (arguments.requests < 1 || arguments.requests > 100'000'000) {
    return refuse("--requests " + std::to_string(arguments.requests) + ": must be 1 to 100000000");
  }
  if (arguments.products > 9'999'999) return refuse("--products: must be at most 9999999");
  if (!(arguments.zipf >= 0.1 && arguments.zipf <= 3)) return refuse("--zipf: must be 0.1 to 3");
  if (!(arguments.churn >= 0 && arguments.churn <= 1)) return refuse("--churn: must be 0 to 1");
  if (!(arguments.noise >= 0 && arguments.noise <= 1)) return refuse("--noise: must be 0 to 1");
  return {};
}

Result<> write_svg(const std::string& path, const std::string& svg) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << svg;
  out.flush();
  if (!out) return fail_public(ErrorCode::Internal, "--svg " + path + ": cannot be written");
  return {};
}

// Whether there was anything to report on.
Result<bool> run(const ReplayArguments& arguments) {
  TRY(check(arguments));
  ReplaySettings settings{.with_ladder = arguments.with_ladder};
  TRY(settings.layers, layers_of(arguments));
  TRY(settings.policy, policy_of(arguments));
  Replay replay(std::move(settings));
  std::string title;
  if (arguments.is_synthetic) {
    title = replay_synthetic(arguments, replay);
  } else {
    TRY(title, replay_logs(arguments, replay));
  }
  ReplayReport report = replay.report();
  if (!arguments.svg.empty()) TRY(write_svg(arguments.svg, report_as_svg(report, title)));
  std::printf("%s%s", (arguments.as_json ? report_as_json : report_as_text)(report, title).c_str(),
              arguments.as_json ? "\n" : "");
  return report.requests > 0;
}

}  // namespace

void add_replay(CLI::App& app, int& code) {
  auto* replay = app.add_subcommand(
      "replay", "Show what canonical keys would do to the hit ratio: from access logs");
  replay->footer(
      "Examples:\n"
      "  tintype replay access.log.gz --mount /=imgix\n"
      "  zcat logs/*.gz | tintype replay - --format cloudfront --svg replay.svg\n"
      "  tintype replay access.jsonl --fields target=request.path,time=ts\n"
      "  tintype replay --synthetic --requests 1000000 --ladder");
  auto arguments = std::make_shared<ReplayArguments>();
  ReplayArguments& a = *arguments;
  replay->add_option("log", a.logs, "Access logs, plain or gzip; - is standard input");
  replay->add_option("--format", a.format, "Of the logs: " + log_format_names());
  replay->add_option("--fields", a.fields,
                     "Their fields: names in order (cloudfront-realtime) or what=name (jsonl)");
  replay->add_option("--config,-c", a.config, "Sites and mounts (default: one plain site)");
  replay->add_option("--site", a.site, "The site of --mount")->capture_default_str();
  replay->add_option("--mount", a.mounts, "A URL language and where it is spoken: /=imgix");
  replay->add_option("--edges", a.edges, "Edge caches")->capture_default_str();
  replay->add_option("--edge-cache", a.edge_cache, "Size of one edge")->capture_default_str();
  replay->add_option("--shield-cache", a.shield_cache, "Size of the shield")->capture_default_str();
  replay->add_option("--ttl", a.ttl, "In edges and shield")->capture_default_str();
  replay->add_option("--store-ttl", a.store_ttl, "In the store")->capture_default_str();
  replay->add_option("--store-entries", a.store_entries, "At most so many in the simulated store")
      ->capture_default_str();
  replay->add_flag("--ladder", a.with_ladder, "Simulate widths held to the ladder too");
  replay->add_flag("--json", a.as_json, "As one JSON object");
  replay->add_option("--svg", a.svg, "Write the charts to this file");
  replay->add_flag("--synthetic", a.is_synthetic, "Traffic of a made-up shop instead of logs");
  replay->add_option("--requests", a.requests, "… so many")->capture_default_str();
  replay->add_option("--seed", a.seed, "… the same for the same seed")->capture_default_str();
  replay->add_option("--products", a.products, "… (default: one for 20,000 requests)");
  replay->add_option("--zipf", a.zipf, "… their popularity")->capture_default_str();
  replay->add_option("--churn", a.churn, "… share of products that are new each day")
      ->capture_default_str();
  replay->add_option("--noise", a.noise, "… share with a parameter that never comes again")
      ->capture_default_str();
  replay->callback([arguments, &code] { code = run_replay(*arguments); });
}

int run_replay(const ReplayArguments& arguments) {
  auto done = run(arguments);
  if (!done) return complain(done.error(), 2);
  if (!*done) {
    return complain(
        Error::in_public(ErrorCode::BadRequest, "replay: there is no request for a picture in it"),
        2);
  }
  return 0;
}

}  // namespace tintype

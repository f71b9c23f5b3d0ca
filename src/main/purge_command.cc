// SPDX-License-Identifier: Apache-2.0
#include "main/purge_command.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <unistd.h>

#include "base/text.h"
#include "cli/progress.h"
#include "delivery/purge_order.h"
#include "delivery/purge_report.h"
#include "main/config_file.h"
#include "main/settings.h"
#include "net/http_client.h"

namespace tintype {
namespace {

using State = PurgeReport::State;

// Above the admin API's own patience of 2 s, with room for a slow network.
constexpr Milliseconds kCallTimeout{30'000};
constexpr Milliseconds kPollEvery{250};
// What may go without a word: a handful of products in all sizes.
constexpr std::uint64_t kUnasked = 1'000;

[[nodiscard]] Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

// The order as JSON goes through the same reader as the service's.
Result<PurgeOrder> order_of(const PurgeArguments& arguments) {
  PurgeOrder order;
  order.site = arguments.site;
  int count = 0;
  auto take = [&](const std::string& value, PurgeOrder::What what) {
    if (value.empty()) return;
    order.value = value;
    order.what = what;
    ++count;
  };
  take(arguments.source, PurgeOrder::What::Source);
  take(arguments.prefix, PurgeOrder::What::Prefix);
  take(arguments.tag, PurgeOrder::What::Tag);
  take(arguments.preset, PurgeOrder::What::Preset);
  if (arguments.all) {
    order.what = PurgeOrder::What::All;
    ++count;
  }
  if (count != 1) {
    return refuse("purge: name exactly one of --source, --prefix, --tag, --preset and --all");
  }
  return parse_purge_order(as_json(order));
}

Result<std::string> token_of(const PurgeArguments& arguments) {
  if (arguments.token_file.empty()) {
    auto token = process_environment()("TINTYPE_ADMIN_TOKEN");
    if (token && !token->empty()) return *token;
    return refuse("purge: name --token-file, or set TINTYPE_ADMIN_TOKEN");
  }
  std::ifstream in(arguments.token_file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  std::size_t end = text.find_last_not_of(" \t\r\n");
  if (!in || end == std::string::npos) {
    return refuse("--token-file " + arguments.token_file + ": cannot be read, or is empty");
  }
  return text.substr(0, end + 1);
}

// The admin API of one service.
class Server {
 public:
  Server(std::string url, const std::string& token, HttpClient& http, const Clock& clock)
      : url_(std::move(url)), token_(token), http_(http), clock_(clock) {
    while (url_.ends_with('/')) url_.pop_back();
  }
  const std::string& url() const { return url_; }

  Result<PurgeReport> order(const PurgeOrder& order) const {
    std::string json = as_json(order);
    OutgoingRequest request = request_to("/_/purge");
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = share(Bytes(json.begin(), json.end()));
    return report_in(send(std::move(request)));
  }
  Result<PurgeReport> ask(const std::string& id) const {
    return report_in(send(request_to("/_/purge/" + id)));
  }

 private:
  OutgoingRequest request_to(const std::string& path) const {
    OutgoingRequest request;
    request.url = url_ + path;
    request.headers.emplace_back("Authorization", "Bearer " + token_);
    request.allow_private_addresses = true;
    request.deadline = Deadline::after(clock_, kCallTimeout);
    request.max_body_bytes = 1'000'000;
    return request;
  }

  Result<IncomingResponse> send(OutgoingRequest request) const {
    std::optional<Result<IncomingResponse>> result;
    asio::io_context loop;
    auto work = [&]() -> Task<> { result = co_await http_.send(std::move(request)); };
    asio::co_spawn(loop, work, asio::detached);
    loop.run();
    return std::move(*result);
  }

  // A report says itself what failed; anything else is a refusal.
  Result<PurgeReport> report_in(Result<IncomingResponse> response) const {
    if (!response) {
      return fail_public(response.error().code, url_ + ": " + response.error().message);
    }
    auto report = parse_purge_report(text_of(response->body));
    if (report) return report;
    std::string said(text_of(response->body));
    std::string what = url_ + " answered " + std::to_string(response->status);
    if (std::size_t at = said.find("\"detail\":"); at != std::string::npos) {
      what += ": " + said.substr(at + 9, said.find_last_of('}') - at - 9);
    }
    return fail_public(ErrorCode::OriginFailed, std::move(what));
  }

  std::string url_;
  const std::string& token_;
  HttpClient& http_;
  const Clock& clock_;
};

std::uint64_t variants_of(const PurgeCounts& counts) {
  return counts.memory + counts.disk + counts.store;
}

// Until it is over; on the way the bar follows.
Result<PurgeReport> watch(const Server& server, PurgeReport report, Progress* bar) {
  while (report.state == State::Running) {
    if (bar != nullptr) bar->advance_to(variants_of(report.counts));
    std::this_thread::sleep_for(kPollEvery);
    TRY(report, server.ask(report.id));
  }
  return report;
}

struct Row {
  std::string server;
  PurgeReport report;
};

// What the store and the edge hold is counted by every task; how much goes is the most that any
// counted there, and what each has itself.
std::uint64_t total_of(const std::vector<Row>& rows) {
  std::uint64_t own = 0, shared = 0;
  for (const Row& row : rows) {
    own += row.report.counts.memory + row.report.counts.disk;
    shared = std::max(shared, row.report.counts.store);
  }
  return own + shared;
}

void print_table(const std::vector<Row>& rows) {
  std::size_t width = std::string_view("service").size();
  for (const Row& row : rows) width = std::max(width, row.server.size());
  std::printf("%-*s  %10s  %10s  %10s  %10s\n", static_cast<int>(width), "service", "memory",
              "disk", "store", "edge paths");
  for (const Row& row : rows) {
    const PurgeCounts& c = row.report.counts;
    std::printf("%-*s  %10llu  %10llu  %10llu  %10llu\n", static_cast<int>(width),
                row.server.c_str(), static_cast<unsigned long long>(c.memory),
                static_cast<unsigned long long>(c.disk), static_cast<unsigned long long>(c.store),
                static_cast<unsigned long long>(c.edge_paths));
  }
  std::fflush(stdout);
}

Result<std::vector<Row>> count(const std::vector<Server>& servers, PurgeOrder order) {
  order.dry_run = true;
  std::vector<Row> rows;
  for (const Server& server : servers) {
    TRY(auto begun, server.order(order));
    TRY(auto report, watch(server, std::move(begun), nullptr));
    if (report.state == State::Failed) return refuse(server.url() + ": " + report.error);
    rows.push_back({server.url(), std::move(report)});
  }
  return rows;
}

// One after the other: the first empties what they share. Those that failed stand in the rows.
Result<std::vector<Row>> carry_out(const std::vector<Server>& servers, const PurgeOrder& order,
                                   const std::vector<Row>& counted) {
  SystemClock clock;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    TRY(auto begun, servers[i].order(order));
    std::uint64_t total = std::max<std::uint64_t>(1, variants_of(counted[i].report.counts));
    Progress bar(total, "variants", clock, stderr);
    TRY(auto report, watch(servers[i], std::move(begun), &bar));
    bar.advance_to(variants_of(report.counts));
    bar.finish();
    rows.push_back({servers[i].url(), std::move(report)});
  }
  return rows;
}

// Whether to go on.
Result<bool> is_wanted(const PurgeArguments& arguments, const PurgeOrder& order,
                       std::uint64_t total) {
  if (arguments.yes || total <= kUnasked) return true;
  if (isatty(STDIN_FILENO) != 1) {
    return refuse("purge: " + std::to_string(total) + " variants would go; say --yes");
  }
  std::printf("Purge %s, %llu variants? [y/N] ", describe(order).c_str(),
              static_cast<unsigned long long>(total));
  std::fflush(stdout);
  int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

Result<> run(const PurgeArguments& arguments) {
  TRY(PurgeOrder order, order_of(arguments));
  TRY(std::string token, token_of(arguments));
  SystemClock clock;
  HttpClientSettings settings;
  settings.first_byte_timeout_ms = kCallTimeout;
  HttpClient http(settings, clock);
  std::vector<Server> servers;
  for (const std::string& url : arguments.servers) servers.emplace_back(url, token, http, clock);

  TRY(std::vector<Row> counted, count(servers, order));
  std::printf("%s would lose:\n", describe(order).c_str());
  print_table(counted);
  if (arguments.dry_run) return {};
  TRY(bool is_going_on, is_wanted(arguments, order, total_of(counted)));
  if (!is_going_on) return {};

  TRY(std::vector<Row> rows, carry_out(servers, order, counted));
  std::printf("purged:\n");
  print_table(rows);
  for (const Row& row : rows) {
    if (row.report.state != State::Failed) continue;
    return fail_public(ErrorCode::OriginFailed, row.server + ": " + row.report.error);
  }
  return {};
}

}  // namespace

void add_purge(CLI::App& app, int& code) {
  auto* purge = app.add_subcommand("purge", "Remove variants from the caches of running services");
  purge->footer(
      "Examples:\n"
      "  tintype purge --site shop --source p/4711/front.jpg\n"
      "  tintype purge --site shop --tag sale --dry-run\n"
      "  tintype purge --site shop --all --yes --server http://10.0.0.5:8081 --token-file token");
  auto arguments = std::make_shared<PurgeArguments>();
  PurgeArguments& a = *arguments;
  purge->add_option("--server", a.servers, "Admin ports, as URLs")->capture_default_str();
  purge->add_option("--token-file", a.token_file,
                    "Holds the admin token (default: TINTYPE_ADMIN_TOKEN)");
  purge->add_option("--site", a.site, "Whose variants")->required();
  purge->add_option("--source", a.source, "Those of one source, by its path");
  purge->add_option("--prefix", a.prefix, "Those of all sources whose path begins so");
  purge->add_option("--tag", a.tag, "Those of all sources with this cache tag");
  purge->add_option("--preset", a.preset, "Those that have what this preset sets");
  purge->add_flag("--all", a.all, "All of the site");
  purge->add_flag("--dry-run", a.dry_run, "Only count");
  purge->add_flag("--yes", a.yes, "Do not ask, however many go");
  purge->callback([arguments, &code] { code = run_purge(*arguments); });
}

int run_purge(const PurgeArguments& arguments) {
  auto done = run(arguments);
  if (done) return 0;
  return complain(done.error(), done.error().code == ErrorCode::BadRequest ? 2 : 1);
}

}  // namespace tintype

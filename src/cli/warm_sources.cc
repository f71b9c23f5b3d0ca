// SPDX-License-Identifier: Apache-2.0
#include "cli/warm_sources.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "cli/sitemap.h"
#include "dialect/dialect.h"
#include "dialect/request.h"
#include "replay/gunzip.h"
#include "replay/line_source.h"
#include "replay/log_line.h"

namespace tintype {
namespace {

constexpr std::size_t kShownBytes = 120;
// sitemaps.org: an index has at most 50,000 sitemaps.
constexpr std::size_t kMaxSitemaps = 50'000;

// Calls `each` with every line, without its end.
Result<> for_each_line(const std::string& path, const std::function<void(std::string_view)>& each) {
  TRY(LineSource source, LineSource::open(path));
  std::string line;
  while (true) {
    TRY(bool has_line, source.next(line));
    if (!has_line) return {};
    std::string_view text = line;
    if (text.ends_with('\r')) text.remove_suffix(1);
    each(text);
  }
}

std::string_view without_query(std::string_view url) {
  return url.substr(0, url.find_first_of("?#"));
}

// "2026-11-24 17:00:01     123456 shop/a b.jpg" -> "shop/a b.jpg"; any other line is a key.
std::string_view key_of_listing(std::string_view line) {
  constexpr std::size_t kDateAndTime = 19;  // "2026-11-24 17:00:01"
  bool is_listing = line.size() > kDateAndTime && line[4] == '-' && line[7] == '-' &&
                    line[10] == ' ' && line[13] == ':';
  if (!is_listing) return line;
  line.remove_prefix(kDateAndTime);
  std::size_t size = line.find_first_not_of(' ');
  std::size_t end = size == std::string_view::npos ? size : line.find(' ', size);
  return end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
}

}  // namespace

bool is_picture_name(std::string_view path) {
  std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || path.find('/', dot) != std::string_view::npos) return false;
  return format_named(path.substr(dot + 1)).has_value();
}

WarmSources::WarmSources(const Policy& policy, std::string site, std::string strip_prefix)
    : policy_(policy), site_(std::move(site)), strip_prefix_(std::move(strip_prefix)) {}

void WarmSources::pass_over(std::string_view what) {
  ++passed_over_;
  if (example_.empty()) example_ = what.substr(0, kShownBytes);
}

void WarmSources::add(std::string source) {
  auto checked = check_source(source);
  if (!checked) return pass_over(source);
  if (known_.insert(*checked).second) sources_.push_back(std::move(*checked));
}

void WarmSources::add_all(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) add(source);
}

// What a request for this target would read on our site; empty: nothing.
std::string WarmSources::source_of_target(std::string_view target) const {
  auto ask = parse_target(target, policy_.mounts);
  return ask && ask->site == site_ ? std::move(ask->source) : std::string();
}

void WarmSources::add_key(std::string_view key) {
  if (!key.starts_with(strip_prefix_)) return pass_over(key);
  key.remove_prefix(strip_prefix_.size());
  key.remove_prefix(std::min(key.find_first_not_of('/'), key.size()));
  add(std::string(key));
}

void WarmSources::add_url(const std::string& url) {
  if (!strip_prefix_.empty() && url.starts_with(strip_prefix_)) {
    auto path = percent_decode(without_query(url).substr(strip_prefix_.size()));
    if (!path) return pass_over(url);
    path->erase(0, path->find_first_not_of('/'));
    return add(std::move(*path));
  }
  std::string source = source_of_target(target_of_url(url));
  if (source.empty()) return pass_over(url);
  add(std::move(source));
}

Result<> WarmSources::add_skus(const std::string& path, const std::string& pattern) {
  std::size_t place = pattern.find("{}"), size = 2;
  if (place == std::string::npos) {
    place = pattern.find("{sku}");
    size = 5;
  }
  if (!pattern.empty() && place == std::string::npos) {
    return fail_public(ErrorCode::BadRequest,
                       "--pattern " + pattern + ": must hold {}, where the SKU stands");
  }
  return for_each_line(path, [&](std::string_view line) {
    line = trim(line);
    if (line.empty() || line.starts_with('#')) return;
    if (pattern.empty()) return add_key(line);
    add(std::string(pattern).replace(place, size, line));
  });
}

Result<> WarmSources::add_listing(const std::string& path) {
  return for_each_line(path, [&](std::string_view line) {
    std::string_view key = key_of_listing(line);
    if (key.empty()) return;
    if (!is_picture_name(key)) return pass_over(key);
    add_key(key);
  });
}

Result<> WarmSources::add_log(const std::string& path, std::size_t limit) {
  TRY(LogReader reader, LogReader::make(std::nullopt, {}));
  std::unordered_map<std::string, std::uint64_t> counts;
  auto read = for_each_line(path, [&](std::string_view line) {
    auto request = reader.read(line);
    if (!request) return pass_over(line);
    if (!*request) return;
    std::string source = source_of_target(target_of_url((*request)->target));
    if (source.empty()) return pass_over((*request)->target);
    ++counts[std::move(source)];
  });
  TRY(std::move(read));
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  // Equal counts by name, so that two runs agree.
  std::ranges::sort(rows, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (rows.size() > limit) rows.resize(limit);
  for (auto& [source, count] : rows) add(std::move(source));
  return {};
}

Result<> WarmSources::add_sitemap(const std::string& where, const Read& read) {
  std::deque<std::string> waiting{where};
  std::unordered_set<std::string> seen{where};
  while (!waiting.empty()) {
    std::string place = std::move(waiting.front());
    waiting.pop_front();
    TRY(std::string text, read(place));
    if (is_gzip(text)) {
      TRY(text, gunzip(text, kMaxSitemapBytes));
    }
    Sitemap map = parse_sitemap(text);
    for (const std::string& url : map.pictures) add_url(url);
    for (const std::string& url : map.pages) {
      if (is_picture_name(without_query(url))) {
        add_url(url);
      } else {
        pass_over(url);
      }
    }
    for (std::string& url : map.sitemaps) {
      if (seen.size() > kMaxSitemaps) break;
      if (seen.insert(url).second) waiting.push_back(std::move(url));
    }
  }
  return {};
}

}  // namespace tintype

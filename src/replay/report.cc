// SPDX-License-Identifier: Apache-2.0
#include "replay/report.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "replay/quantity.h"

namespace tintype {
namespace {

constexpr std::size_t kNameWidth = 28, kBarWidth = 30, kExampleBytes = 100, kShownSplits = 12;

// In characters, not bytes: all texts here are ASCII but what URLs hold.
std::string left(std::string_view text, std::size_t width) {
  std::string out(text);
  if (out.size() < width) out.append(width - out.size(), ' ');
  return out;
}

std::string right(std::string_view text, std::size_t width) {
  std::string out(text);
  if (out.size() < width) out.insert(0, width - out.size(), ' ');
  return out;
}

std::string bar(double share) {
  auto filled =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(kBarWidth) + 0.5);
  return std::string(filled, '#') + std::string(kBarWidth - filled, '.');
}

// Text of a log, fit for a terminal: cut, and without control characters.
std::string shown_text(std::string_view text) {
  std::string out(text.substr(0, kExampleBytes));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out + (text.size() > kExampleBytes ? "..." : "");
}

std::uint64_t rounded(double number) {
  return static_cast<std::uint64_t>(std::llround(std::max(number, 0.0)));
}

std::string span_text(Seconds span) {
  std::int64_t seconds = span.count();
  if (seconds % 86'400 == 0) return std::to_string(seconds / 86'400) + " d";
  return std::to_string(seconds) + " s";
}

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

void add_reading(std::string& out, const ReplayReport& report) {
  if (report.lines == 0) return;
  out += grouped(report.lines) + " lines";
  const std::pair<std::uint64_t, std::string_view> kinds[] = {
      {report.unreadable, "unreadable"},
      {report.not_asked, "neither GET nor HEAD"},
      {report.not_answered, "answered with a failure"},
      {report.not_pictures, "no pictures"}};
  for (const auto& [count, what] : kinds) {
    if (count > 0) out.append(", ").append(grouped(count)).append(" ").append(what);
  }
  out += "\n";
  for (const std::string& example : report.unreadable_examples) {
    out += "  " + shown_text(example) + "\n";
  }
}

void add_ratios(std::string& out, const ReplayReport& report) {
  out += "\nHit ratio, %" + std::string(17, ' ') +
         "    edge  edge + shield  not rendered  renders per 1,000\n";
  for (const auto& [name, counts] : ways_to_name(report)) {
    out += left(name, kNameWidth) + right(percent(counts->edge_ratio()), 8) +
           right(percent(counts->shared_ratio()), 15) +
           right(percent(counts->unrendered_ratio()), 14) +
           right(fixed(counts->renders_per_1000(), 1), 19) + "\n";
  }
  double alone = 1000 * (1 - report.raw.edge_ratio());
  out += left("raw URLs, nothing behind", kNameWidth) + right(percent(report.raw.edge_ratio()), 8) +
         right("-", 15) + right(percent(report.raw.edge_ratio()), 14) + right(fixed(alone, 1), 19) +
         "\n\n";
  for (const auto& [name, counts] : ways_to_name(report)) {
    out += left(name + ", edge", 38) + bar(counts->edge_ratio()) + "\n";
    out += left("  edge + shield", 38) + bar(counts->shared_ratio()) + "\n";
  }
  out += "\nLayers: " + std::to_string(report.layers.edges) + " edges of " +
         human_bytes(static_cast<std::uint64_t>(report.layers.edge_bytes)) + ", a shield of " +
         human_bytes(static_cast<std::uint64_t>(report.layers.shield_bytes)) + ", TTL " +
         span_text(report.layers.ttl) + "; a store, TTL " + span_text(report.layers.store_ttl) +
         ". All begin empty.\n";
  for (const auto& [name, counts] : ways_to_name(report)) {
    out += left(name, kNameWidth) + grouped(counts->stored_variants) + " variants stored, " +
           human_bytes(counts->stored_bytes) + "; " + grouped(counts->evicted) +
           " evicted for lack of room\n";
    if (counts->store_evicted == 0) continue;
    out += "  the store let go of " + grouped(counts->store_evicted) +
           " that were fresh: it holds at most " + grouped(report.layers.store_entries) +
           " here (--store-entries)\n";
  }
}

void add_spellings(std::string& out, const ReplayReport& report) {
  out += "\nSpellings: about " + grouped(rounded(report.raw_keys)) + " raw cache keys, " +
         grouped(rounded(report.canonical_paths)) +
         " canonical paths: " + fixed(ratio(report.raw_keys, report.canonical_paths), 1) +
         " spellings a path\n";
  std::uint64_t sampled = 0;
  for (std::uint64_t count : report.spelled) sampled += count;
  for (std::size_t i = 0; i < report.spelled.size(); ++i) {
    double share = ratio(static_cast<double>(report.spelled[i]), static_cast<double>(sampled));
    out += right(spelled_label(i), 6) + (i == 0 ? " spelling  " : " spellings ") + bar(share) +
           right(percent(share), 7) + " % of the paths\n";
  }
  if (report.most_spelled.empty() || report.most_spelled.front().spellings < 2) return;
  const SpelledPath& most = report.most_spelled.front();
  out += "  for example " + shown_text(most.path) + "\n";
  for (const std::string& example : most.examples) out += "    " + shown_text(example) + "\n";
}

void add_differences(std::string& out, const ReplayReport& report) {
  out += "\nWhy they collapse, % of the requests (one URL may differ in several ways)\n";
  std::vector<int> order;
  for (int i = 0; i < kSpellingDifferenceCount; ++i) order.push_back(i);
  auto requests_of = [&](int i) {
    return report.differences[static_cast<std::size_t>(i)].requests;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return requests_of(a) > requests_of(b); });
  for (int i : order) {
    if (requests_of(i) == 0) continue;
    const DifferenceRow& row = report.differences[static_cast<std::size_t>(i)];
    double share = ratio(static_cast<double>(row.requests), static_cast<double>(report.requests));
    out += left(name_of(static_cast<SpellingDifference>(i)), kNameWidth) +
           right(percent(share), 8) + "  " + shown_text(row.example) + "\n";
  }
}

std::string_view effect_of(const SplitRow& row) {
  if (row.changes == 0) return "never changes the picture";
  return row.changes > 0.5 ? "asks for another picture" : "changes some pictures";
}

void add_splits(std::string& out, const ReplayReport& report) {
  auto splits = telling_splits(report, kShownSplits);
  if (splits.empty()) return;
  out += "\nParameters that split the cache: raw keys that have them, and without them\n";
  for (const SplitRow& row : splits) {
    out += left(shown_text(row.name), 16) + right(grouped(rounded(row.keys_with)), 13) + " -> " +
           left(grouped(rounded(row.keys_without)), 13) +
           left(fixed(ratio(row.keys_with, row.keys_without), 1) + "x", 8) +
           std::string(effect_of(row)) + "\n";
  }
}

void add_rows(std::string& out, std::string_view heading,
              const std::vector<TopCounter::Row>& rows) {
  if (rows.empty()) return;
  out.append("\n").append(heading).append("\n");
  for (const TopCounter::Row& row : rows) {
    out += left(shown_text(row.name), kNameWidth) + right(grouped(row.count), 10) + "  " +
           shown_text(row.example) + "\n";
  }
}

void add_widths(std::string& out, const ReplayReport& report) {
  out += "\nWidths: " + std::to_string(report.widths.size()) + " are asked, " +
         std::to_string(report.stepped_widths.size()) + " on the ladder; paths " +
         grouped(rounded(report.canonical_paths)) + " -> " +
         grouped(rounded(report.stepped_paths)) + " (" +
         fixed(ratio(report.canonical_paths, report.stepped_paths), 2) + "x fewer), bytes sent x " +
         fixed(report.bytes_by_ladder, 2) + " (estimated)\n";
  auto total = static_cast<double>(report.requests);
  auto column = [&](const std::map<std::int32_t, std::uint64_t>& widths) {
    std::vector<std::string> lines;
    for (const auto& [width_px, count] : top_widths(widths, 14)) {
      double share = ratio(static_cast<double>(count), total);
      lines.push_back(right(width_px == 0 ? "none" : std::to_string(width_px), 6) + " " +
                      bar(share).substr(0, kBarWidth / 2 * 2) + right(percent(share), 6));
    }
    return lines;
  };
  std::vector<std::string> asked = column(report.widths), stepped = column(report.stepped_widths);
  out += left("  as asked (most frequent)", 48) + "  on the ladder\n";
  for (std::size_t i = 0; i < std::max(asked.size(), stepped.size()); ++i) {
    std::string line = left(i < asked.size() ? asked[i] : "", 48);
    out += line + (i < stepped.size() ? stepped[i] : "") + "\n";
  }
}

std::string counts_as_json(const LayerCounts& counts) {
  return JsonObject()
      .field("requests", counts.requests)
      .field("edge_hits", counts.edge_hits)
      .field("shield_hits", counts.shield_hits)
      .field("store_hits", counts.store_hits)
      .field("renders", counts.renders)
      .field("requested_bytes", counts.requested_bytes)
      .field("edge_hit_bytes", counts.edge_hit_bytes)
      .field("stored_variants", counts.stored_variants)
      .field("stored_bytes", counts.stored_bytes)
      .field("evicted", counts.evicted)
      .field("store_evicted", counts.store_evicted)
      .field("edge_pct", 100 * counts.edge_ratio())
      .field("edge_and_shield_pct", 100 * counts.shared_ratio())
      .field("not_rendered_pct", 100 * counts.unrendered_ratio())
      .field("renders_per_1000", counts.renders_per_1000())
      .str();
}

std::string rows_as_json(const std::vector<TopCounter::Row>& rows) {
  JsonArray array;
  for (const TopCounter::Row& row : rows) {
    array.raw(JsonObject()
                  .field("name", row.name)
                  .field("count", row.count)
                  .field("excess", row.excess)
                  .field("example", row.example)
                  .str());
  }
  return array.str();
}

std::string differences_as_json(const ReplayReport& report) {
  JsonArray array;
  for (int i = 0; i < kSpellingDifferenceCount; ++i) {
    const DifferenceRow& row = report.differences[static_cast<std::size_t>(i)];
    if (row.requests == 0) continue;
    array.raw(JsonObject()
                  .field("difference", name_of(static_cast<SpellingDifference>(i)))
                  .field("requests", row.requests)
                  .field("example", row.example)
                  .field("path", row.path)
                  .str());
  }
  return array.str();
}

std::string splits_as_json(const ReplayReport& report) {
  JsonArray array;
  for (const SplitRow& row : report.splits) {
    array.raw(JsonObject()
                  .field("name", row.name)
                  .field("example", row.example)
                  .field("keys_with", rounded(row.keys_with))
                  .field("keys_without", rounded(row.keys_without))
                  .field("changes", row.changes)
                  .str());
  }
  return array.str();
}

std::string widths_as_json(const std::map<std::int32_t, std::uint64_t>& widths) {
  JsonObject object;
  for (const auto& [width_px, count] : widths) object.field(std::to_string(width_px), count);
  return object.str();
}

std::string spelled_as_json(const ReplayReport& report) {
  JsonObject object;
  for (std::size_t i = 0; i < report.spelled.size(); ++i) {
    object.field(spelled_label(i), report.spelled[i]);
  }
  return object.str();
}

std::string reading_as_json(const ReplayReport& report) {
  JsonArray examples;
  for (const std::string& example : report.unreadable_examples) examples.add(example);
  return JsonObject()
      .field("lines", report.lines)
      .field("unreadable", report.unreadable)
      .field("not_asked", report.not_asked)
      .field("not_answered", report.not_answered)
      .field("not_pictures", report.not_pictures)
      .raw("unreadable_examples", examples.str())
      .str();
}

}  // namespace

std::vector<std::pair<std::string, const LayerCounts*>> ways_to_name(const ReplayReport& report) {
  std::vector<std::pair<std::string, const LayerCounts*>> ways = {
      {"raw URLs", &report.raw}, {"canonical paths", &report.canonical}};
  if (report.stepped) ways.emplace_back("canonical, on the ladder", &*report.stepped);
  return ways;
}

std::string_view spelled_label(std::size_t place) {
  static constexpr std::array<std::string_view, 7> kLabels = {"1",   "2",    "3",  "4",
                                                              "5-8", "9-16", "17+"};
  return kLabels[place];
}

std::vector<SplitRow> telling_splits(const ReplayReport& report, std::size_t limit) {
  std::vector<SplitRow> telling;
  for (const SplitRow& row : report.splits) {
    if (telling.size() == limit) break;
    if (row.changes == 0 || row.keys_with > 1.07 * row.keys_without) telling.push_back(row);
  }
  return telling;
}

std::vector<std::pair<std::int32_t, std::uint64_t>> top_widths(
    const std::map<std::int32_t, std::uint64_t>& widths, std::size_t limit) {
  std::vector<std::pair<std::int32_t, std::uint64_t>> top(widths.begin(), widths.end());
  std::stable_sort(top.begin(), top.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  top.resize(std::min(top.size(), limit));
  std::sort(top.begin(), top.end());
  return top;
}

std::string fixed(double value, int digits) {
  std::string text = std::to_string(std::llround(value * std::pow(10, digits)));
  if (digits == 0) return text;
  auto count = static_cast<std::size_t>(digits);
  if (text.size() <= count) text.insert(0, count + 1 - text.size(), '0');
  return text.insert(text.size() - count, ".");
}

std::string percent(double share) {
  return fixed(100 * share, 1);
}

std::string report_as_text(const ReplayReport& report, const std::string& title) {
  std::string out = title + "\n";
  add_reading(out, report);
  double days = static_cast<double>(report.last_unix_seconds - report.first_unix_seconds) / 86'400;
  out += grouped(report.requests) + " requests for pictures over " + fixed(days, 1) + " days";
  if (report.unnamed > 0) out += ", " + grouped(report.unnamed) + " more that are not understood";
  out += "\n";
  if (report.requests > 0) {
    add_ratios(out, report);
    add_spellings(out, report);
    add_differences(out, report);
    add_splits(out, report);
    add_rows(out, "Unknown parameters, dropped (spellings)", report.dropped);
    add_widths(out, report);
  }
  add_rows(out, "Not understood (requests)", report.unnamed_reasons);
  return out;
}

std::string report_as_json(const ReplayReport& report, const std::string& title) {
  JsonObject object;
  object.field("title", title)
      .raw("read", reading_as_json(report))
      .field("requests", report.requests)
      .field("unnamed", report.unnamed)
      .raw("unnamed_reasons", rows_as_json(report.unnamed_reasons))
      .field("first_unix_seconds", report.first_unix_seconds)
      .field("last_unix_seconds", report.last_unix_seconds)
      .raw("layers", JsonObject()
                         .field("edges", report.layers.edges)
                         .field("edge_bytes", report.layers.edge_bytes)
                         .field("shield_bytes", report.layers.shield_bytes)
                         .field("ttl_seconds", report.layers.ttl.count())
                         .field("store_ttl_seconds", report.layers.store_ttl.count())
                         .field("store_entries", report.layers.store_entries)
                         .str())
      .raw("raw", counts_as_json(report.raw))
      .raw("canonical", counts_as_json(report.canonical));
  if (report.stepped) object.raw("ladder", counts_as_json(*report.stepped));
  object.field("raw_keys", rounded(report.raw_keys))
      .field("canonical_paths", rounded(report.canonical_paths))
      .field("ladder_paths", rounded(report.stepped_paths))
      .field("bytes_by_ladder", report.bytes_by_ladder)
      .raw("spellings", spelled_as_json(report))
      .raw("differences", differences_as_json(report))
      .raw("splits", splits_as_json(report))
      .raw("dropped", rows_as_json(report.dropped))
      .raw("widths", widths_as_json(report.widths))
      .raw("ladder_widths", widths_as_json(report.stepped_widths));
  return object.str();
}

}  // namespace tintype

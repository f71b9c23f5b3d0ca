// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kRememberedSpellings = std::size_t{1} << 20;
constexpr std::size_t kMaxParameters = 128;      // in all
constexpr std::size_t kStudiedParameters = 128;  // of one URL
constexpr std::uint32_t kTriedPerParameter = 100;
constexpr std::size_t kSampledPaths = 2048, kCountedSpellings = 64, kShownSpellings = 6;
constexpr std::size_t kShownLines = 5;

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) {
  return xxh3_64(view_of(text), seed);
}

// A variant of 600 pixels of width has 25 kB in the model, and bytes grow a little slower than the
// area (docs/internals/figures.md F-replay).
constexpr double kTypicalBytes = 25'000, kTypicalWidth_px = 600, kBytesByWidth = 1.5;

double estimated_bytes(std::int32_t width_px) {
  double width = width_px > 0 ? width_px : kTypicalWidth_px;
  return kTypicalBytes * std::pow(width / kTypicalWidth_px, kBytesByWidth);
}

double growth(std::int32_t from_px, std::int32_t to_px) {
  if (from_px == to_px || from_px <= 0) return 1;
  return std::pow(static_cast<double>(to_px) / from_px, kBytesByWidth);
}

// What pages, scripts and films are named; a log of a whole site has more of them than pictures.
bool is_no_picture(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  std::size_t slash = path.rfind('/');
  std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || (slash != std::string_view::npos && dot < slash)) {
    return path.empty() || path.back() == '/';
  }
  static constexpr std::string_view kOthers[] = {
      "html", "htm", "css",  "js",    "mjs", "json", "map", "xml",  "txt", "ico",  "php", "aspx",
      "pdf",  "zip", "woff", "woff2", "ttf", "eot",  "mp4", "webm", "mp3", "m3u8", "ts",  "wasm"};
  std::string extension = lower(path.substr(dot + 1));
  return std::find(std::begin(kOthers), std::end(kOthers), extension) != std::end(kOthers);
}

AskedTarget asked(const ReplayRequest& request, std::string_view target) {
  return {.target = target, .accept = request.accept, .unix_seconds = request.unix_seconds};
}

std::string reason_of(const Error& error) {
  std::string reason(name_of(error.code));
  if (!error.option.empty()) reason += ": " + error.option;
  return reason;
}

std::uint64_t edge_of(const LogLine& line) {
  // "FRA56-P1": one city is one edge.
  if (!line.edge.empty()) return hash_of(std::string_view(line.edge).substr(0, 3));
  return hash_of(line.client);
}

}  // namespace

Replay::Replay(ReplaySettings settings)
    : settings_(std::move(settings)),
      remembered_(kRememberedSpellings),
      raw_(settings_.layers),
      canonical_(settings_.layers),
      dropped_(256),
      unnamed_reasons_(64),
      sample_(kSampledPaths) {
  if (settings_.with_ladder) stepped_ = std::make_unique<CacheLayers>(settings_.layers);
  report_.layers = settings_.layers;
}

void Replay::count_unreadable(std::uint64_t line_number, const Error& error) {
  ++report_.lines;
  ++report_.unreadable;
  if (report_.unreadable_examples.size() == kShownLines) return;
  report_.unreadable_examples.push_back("line " + std::to_string(line_number) + ": " +
                                        (error.detail.empty() ? error.message : error.detail));
}

void Replay::take(const LogLine& line) {
  ++report_.lines;
  bool is_get = line.method.empty() || line.method == "GET" || line.method == "HEAD";
  bool is_answered = line.status == 0 || (line.status >= 200 && line.status < 400);
  if (!is_get) {
    ++report_.not_asked;
  } else if (!is_answered) {
    ++report_.not_answered;
  } else if (is_no_picture(line.target)) {
    ++report_.not_pictures;
  } else {
    // Only a whole answer says how large the variant is.
    bool is_whole = line.method != "HEAD" && (line.status == 0 || line.status == 200);
    take(ReplayRequest{.target = line.target,
                       .accept = line.accept,
                       .edge = static_cast<std::uint32_t>(edge_of(line)),
                       .unix_seconds = line.unix_seconds,
                       .size_bytes = is_whole && line.sent_bytes > 0 ? line.sent_bytes : -1});
  }
}

void Replay::take(const ReplayRequest& request) {
  const Remembered* entry = look_up(request);
  if (entry != nullptr) count(request, *entry);
}

const Replay::Remembered* Replay::look_up(const ReplayRequest& request) {
  if (request.target.size() > kMaxTargetBytes) {
    ++report_.unnamed;
    unnamed_reasons_.add("too long", request.target);
    return nullptr;
  }
  std::uint64_t spelling = hash_of(request.target, hash_of(request.accept)) | 1;  // 0: free
  Remembered& entry = remembered_[(spelling >> 8) & (kRememberedSpellings - 1)];
  if (entry.spelling == spelling) return &entry;
  auto named = name_target(asked(request, request.target), settings_.policy);
  if (!named) {
    ++report_.unnamed;
    unnamed_reasons_.add(reason_of(named.error()),
                         std::string(request.target) + "  " + named.error().detail);
    return nullptr;
  }
  entry = {.spelling = spelling,
           .raw_key = hash_of(request.target, named->vary),
           .path = hash_of(named->path),
           .stepped = hash_of(named->stepped),
           .width_px = named->width_px,
           .stepped_width_px = named->stepped_width_px,
           .differences = named->differences};
  study(request, *named, entry);
  return &entry;
}

// What needs to be looked at once a spelling, or a few times where the table has forgotten it.
void Replay::study(const ReplayRequest& request, const NamedTarget& named,
                   const Remembered& entry) {
  raw_keys_.add(entry.raw_key);
  paths_.add(entry.path);
  stepped_paths_.add(entry.stepped);
  for (int i = 0; i < kSpellingDifferenceCount; ++i) {
    DifferenceRow& row = report_.differences[static_cast<std::size_t>(i)];
    bool differs = (entry.differences & bit_of(static_cast<SpellingDifference>(i))) != 0;
    if (!differs || !row.example.empty()) continue;
    row.example = request.target;
    row.path = named.path;
  }
  for (const std::string& name : named.dropped) dropped_.add(name, request.target);
  study_parameters(request, named, entry);
  PathNote* note = sample_.find_or_add(entry.path);
  if (note == nullptr || note->spellings.size() == kCountedSpellings) return;
  auto at = std::lower_bound(note->spellings.begin(), note->spellings.end(), entry.raw_key);
  if (at != note->spellings.end() && *at == entry.raw_key) return;
  note->spellings.insert(at, entry.raw_key);
  if (note->path.empty()) note->path = named.path;
  if (note->examples.size() < kShownSpellings) note->examples.emplace_back(request.target);
}

void Replay::study_parameters(const ReplayRequest& request, const NamedTarget& named,
                              const Remembered& entry) {
  std::set<std::string_view> studied;  // each costs the length of the URL
  for (std::string_view parameter : raw_parameters(request.target)) {
    if (!studied.insert(raw_name(parameter)).second) continue;
    if (studied.size() > kStudiedParameters) return;
    std::string name(raw_name(parameter).substr(0, 64));
    auto found = splits_.find(name);
    if (found == splits_.end()) {
      if (splits_.size() == kMaxParameters) continue;
      found = splits_.emplace(name, Split{}).first;
      found->second.example = parameter;
    }
    Split& split = found->second;
    std::string without = without_parameter(request.target, raw_name(parameter));
    split.with.add(entry.raw_key);
    split.without.add(hash_of(without, named.vary));
    if (split.tried == kTriedPerParameter) continue;
    ++split.tried;
    auto other = name_target(asked(request, without), settings_.policy);
    if (!other || other->path != named.path) ++split.changed;
  }
}

void Replay::count(const ReplayRequest& request, const Remembered& entry) {
  // A line without a time is as late as the one before.
  std::int64_t now = request.unix_seconds > 0 ? request.unix_seconds : report_.last_unix_seconds;
  if (report_.first_unix_seconds == 0) report_.first_unix_seconds = now;
  report_.last_unix_seconds = std::max(report_.last_unix_seconds, now);
  ++report_.requests;
  ++report_.widths[entry.width_px];
  ++report_.stepped_widths[entry.stepped_width_px];
  for (unsigned bits = entry.differences; bits != 0; bits &= bits - 1) {
    ++report_.differences[static_cast<std::size_t>(std::countr_zero(bits))].requests;
  }
  double bytes = request.size_bytes >= 0 ? static_cast<double>(request.size_bytes)
                                         : estimated_bytes(entry.width_px);
  double stepped_bytes = bytes * growth(entry.width_px, entry.stepped_width_px);
  bytes_ += bytes;
  stepped_bytes_ += stepped_bytes;
  auto keyed = [&](std::uint64_t key, double size_bytes) {
    return KeyedRequest{.key = key,
                        .size_bytes = static_cast<std::uint32_t>(std::clamp(size_bytes, 1.0, 4e9)),
                        .edge = request.edge,
                        .unix_seconds = now};
  };
  raw_.ask(keyed(entry.raw_key, bytes));
  canonical_.ask(keyed(entry.path, bytes));
  if (stepped_) stepped_->ask(keyed(entry.stepped, stepped_bytes));
}

void Replay::add_splits(ReplayReport& report) const {
  for (const auto& [name, split] : splits_) {
    report.splits.push_back(
        {.name = name,
         .example = split.example,
         .keys_with = split.with.estimate(),
         .keys_without = split.without.estimate(),
         .changes = split.tried == 0 ? 0.0 : 1.0 * split.changed / split.tried});
  }
  std::sort(report.splits.begin(), report.splits.end(), [](const SplitRow& a, const SplitRow& b) {
    double more_a = a.keys_with - a.keys_without, more_b = b.keys_with - b.keys_without;
    return more_a != more_b ? more_a > more_b : a.name < b.name;
  });
}

void Replay::add_spellings(ReplayReport& report) const {
  constexpr std::array<std::size_t, 6> kLast = {1, 2, 3, 4, 8, 16};
  std::vector<const PathNote*> notes;
  for (const auto& [hash, note] : sample_.notes()) {
    notes.push_back(&note);
    auto place = std::lower_bound(kLast.begin(), kLast.end(), note.spellings.size());
    ++report.spelled[static_cast<std::size_t>(place - kLast.begin())];
  }
  std::stable_sort(notes.begin(), notes.end(), [](const PathNote* a, const PathNote* b) {
    return a->spellings.size() > b->spellings.size();
  });
  for (std::size_t i = 0; i < std::min(notes.size(), kShownLines); ++i) {
    report.most_spelled.push_back({notes[i]->path, notes[i]->spellings.size(), notes[i]->examples});
  }
}

ReplayReport Replay::report() const {
  ReplayReport report = report_;
  report.unnamed_reasons = unnamed_reasons_.top(10);
  report.raw_keys = raw_keys_.estimate();
  report.canonical_paths = paths_.estimate();
  report.stepped_paths = stepped_paths_.estimate();
  report.raw = raw_.counts();
  report.canonical = canonical_.counts();
  if (stepped_) report.stepped = stepped_->counts();
  report.dropped = dropped_.top(10);
  report.bytes_by_ladder = bytes_ > 0 ? stepped_bytes_ / bytes_ : 1;
  add_splits(report);
  add_spellings(report);
  return report;
}

}  // namespace tintype

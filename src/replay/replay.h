// SPDX-License-Identifier: Apache-2.0
// Replay: takes requests one after the other, by raw URL as they were sent and by canonical path as
// this service would name them, through the same simulated cache layers, and counts why they
// differ. Memory is bounded by the simulated layers (simulate.h; two ways to name, three with the
// ladder) and some 60 MB for the rest, whatever the number of requests; what is counted by estimate
// is so named in ReplayReport. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/policy.h"
#include "replay/estimate.h"
#include "replay/log_line.h"
#include "replay/simulate.h"
#include "replay/spelling.h"

namespace tintype {

struct ReplaySettings {
  SharedPolicy policy;
  LayerSizes layers;
  bool with_ladder = false;  // simulate widths held to the ladder as a third way to name
};

// A longer target is no request: the service answers it with 414 (server/settings.h).
inline constexpr std::size_t kMaxTargetBytes = 8192;

// One request. Views are read during the call only.
struct ReplayRequest {
  std::string_view target, accept;
  std::uint32_t edge = 0;
  std::int64_t unix_seconds = 0;  // 0: not known, then as late as the request before
  std::int64_t size_bytes = -1;   // of the answer; negative: not known, then estimated by width
};

// Of one class of difference: the requests that differ so, and the first of them.
struct DifferenceRow {
  std::uint64_t requests = 0;
  std::string example, path;
};

// Of one parameter of raw URLs: how many cache keys have it, and how many these would be without
// it, each within 3.3 % (one standard error).
struct SplitRow {
  std::string name, example;
  double keys_with = 0, keys_without = 0;
  double changes = 0;  // share of the first 100 URLs with it whose canonical path it changes
};

// A canonical path with many spellings; at most 64 of them are counted.
struct SpelledPath {
  std::string path;
  std::size_t spellings = 0;
  std::vector<std::string> examples;
};

struct ReplayReport {
  // What was read.
  std::uint64_t lines = 0, unreadable = 0, not_asked = 0, not_answered = 0, not_pictures = 0;
  std::vector<std::string> unreadable_examples;  // "line 7: why"
  std::uint64_t requests = 0;                    // that came to a canonical path
  std::uint64_t unnamed = 0;                     // that did not
  std::vector<TopCounter::Row> unnamed_reasons;
  std::int64_t first_unix_seconds = 0, last_unix_seconds = 0;
  // Distinct ones, within 0.8 % (one standard error).
  double raw_keys = 0, canonical_paths = 0, stepped_paths = 0;
  LayerSizes layers;
  LayerCounts raw, canonical;
  std::optional<LayerCounts> stepped;
  std::array<DifferenceRow, kSpellingDifferenceCount> differences;
  std::vector<SplitRow> splits;            // the most splitting first
  std::vector<TopCounter::Row> dropped;    // unknown parameters, by spellings
  std::vector<SpelledPath> most_spelled;   // of a fair sample of 2,048 paths
  std::array<std::uint64_t, 7> spelled{};  // of the sample: 1, 2, 3, 4, 5-8, 9-16, more spellings
  std::map<std::int32_t, std::uint64_t> widths, stepped_widths;  // requests by width in px
  double bytes_by_ladder = 0;  // of all answers with the ladder, as a multiple of those without
};

class Replay {
 public:
  explicit Replay(ReplaySettings settings);

  void take(const ReplayRequest& request);
  // A line of a log: skipped and counted when it is no answered GET of a picture.
  void take(const LogLine& line);
  void count_unreadable(std::uint64_t line_number, const Error& error);
  ReplayReport report() const;

 private:
  // What is remembered of a spelling, in a table that forgets.
  struct Remembered {
    std::uint64_t spelling = 0, raw_key = 0, path = 0, stepped = 0;
    std::int32_t width_px = 0, stepped_width_px = 0;
    std::uint16_t differences = 0;
  };
  struct Split {
    DistinctCounter with{10}, without{10};
    std::string example;
    std::uint32_t tried = 0, changed = 0;
  };
  struct PathNote {
    std::string path;
    std::vector<std::uint64_t> spellings;  // sorted
    std::vector<std::string> examples;
  };

  const Remembered* look_up(const ReplayRequest& request);
  void study(const ReplayRequest& request, const NamedTarget& named, const Remembered& entry);
  void study_parameters(const ReplayRequest& request, const NamedTarget& named,
                        const Remembered& entry);
  void count(const ReplayRequest& request, const Remembered& entry);
  void add_splits(ReplayReport& report) const;
  void add_spellings(ReplayReport& report) const;

  ReplaySettings settings_;
  ReplayReport report_;  // its plain counts; report() adds the estimates
  std::vector<Remembered> remembered_;
  CacheLayers raw_, canonical_;
  std::unique_ptr<CacheLayers> stepped_;
  DistinctCounter raw_keys_, paths_, stepped_paths_;
  std::unordered_map<std::string, Split> splits_;
  TopCounter dropped_, unnamed_reasons_;
  KeySample<PathNote> sample_;
  double bytes_ = 0, stepped_bytes_ = 0;
};

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// The report as one SVG: hit ratio by layer, spellings a path, parameters that split the cache,
// widths before and after the ladder. Colours and bars are those of bench/report.py.
#include <algorithm>
#include <string>

#include "base/text.h"
#include "replay/report.h"

namespace tintype {
namespace {

constexpr std::string_view kInk = "#222", kOurs = "#b5651d", kTheirs = "#8a9ba8",
                           kLadder = "#d9a066";
constexpr int kLeft_px = 250, kBar_px = 400, kWidth_px = 760, kStep_px = 24;

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 100)) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      // Logs hold any byte; an XML file does not.
      bool is_plain = static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f;
      out += is_plain ? c : '?';
    }
  }
  return out;
}

class Drawing {
 public:
  void heading(std::string_view text) {
    y_px_ += 14;
    body_.append("<text x=\"10\" y=\"").append(std::to_string(y_px_ + 14));
    body_.append("\" font-size=\"15\" font-weight=\"bold\">").append(escape(text));
    body_.append("</text>\n");
    y_px_ += 26;
  }
  // `share` of the full length, 0 to 1.
  void bar(std::string_view label, double share, std::string_view value, std::string_view color) {
    std::string y = std::to_string(y_px_), text_y = std::to_string(y_px_ + 14);
    double length_px = std::clamp(share, 0.0, 1.0) * kBar_px;
    body_.append("<text x=\"").append(std::to_string(kLeft_px - 8)).append("\" y=\"");
    body_.append(text_y).append("\" text-anchor=\"end\">").append(escape(label));
    body_.append("</text>\n<rect x=\"").append(std::to_string(kLeft_px)).append("\" y=\"");
    body_.append(y).append("\" width=\"").append(format_decimal(length_px, 1));
    body_.append("\" height=\"18\" fill=\"").append(color).append("\"/>\n<text x=\"");
    body_.append(format_decimal(kLeft_px + length_px + 6, 1)).append("\" y=\"").append(text_y);
    body_.append("\">").append(escape(value)).append("</text>\n");
    y_px_ += kStep_px;
  }
  std::string str() const {
    std::string height = std::to_string(y_px_ + 12), width = std::to_string(kWidth_px);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + width + " ";
    out.append(height).append("\" font-family=\"sans-serif\" font-size=\"13\" fill=\"");
    out.append(kInk).append("\">\n<rect width=\"").append(width).append("\" height=\"");
    return out.append(height).append("\" fill=\"#fff\"/>\n").append(body_).append("</svg>\n");
  }

 private:
  std::string body_;
  int y_px_ = 0;
};

void draw_ratios(Drawing& drawing, const ReplayReport& report) {
  constexpr std::string_view kColors[] = {kTheirs, kOurs, kLadder};
  drawing.heading("Hit ratio by layer, %");
  std::size_t at = 0;
  for (const auto& [name, counts] : ways_to_name(report)) {
    std::string_view color = kColors[at++];
    drawing.bar(name + ": edge", counts->edge_ratio(), percent(counts->edge_ratio()), color);
    drawing.bar("edge + shield", counts->shared_ratio(), percent(counts->shared_ratio()), color);
    drawing.bar("not rendered", counts->unrendered_ratio(), percent(counts->unrendered_ratio()),
                color);
  }
  drawing.heading("Renders per 1,000 requests");
  double alone = 1 - report.raw.edge_ratio();
  drawing.bar("raw URLs, nothing behind the edge", 1, percent(10 * alone), kTheirs);
  at = 0;
  for (const auto& [name, counts] : ways_to_name(report)) {
    double share = alone > 0 ? counts->renders_per_1000() / 1000 / alone : 0;
    drawing.bar(name, share, fixed(counts->renders_per_1000(), 1), kColors[at++]);
  }
}

void draw_spellings(Drawing& drawing, const ReplayReport& report) {
  std::uint64_t all = 0;
  for (std::uint64_t count : report.spelled) all += count;
  if (all == 0) return;
  drawing.heading("Spellings of one canonical path, % of the paths");
  for (std::size_t i = 0; i < report.spelled.size(); ++i) {
    double share = static_cast<double>(report.spelled[i]) / static_cast<double>(all);
    drawing.bar(spelled_label(i), share, percent(share), kTheirs);
  }
}

void draw_splits(Drawing& drawing, const ReplayReport& report) {
  auto rows = telling_splits(report, 8);
  if (rows.empty()) return;
  drawing.heading("Parameters that split the cache: raw keys with them, per key without");
  auto factor = [](const SplitRow& row) {
    return row.keys_without > 0 ? row.keys_with / row.keys_without : 1;
  };
  double most = 1;
  for (const SplitRow& row : rows) most = std::max(most, factor(row));
  for (const SplitRow& row : rows) {
    bool is_needless = row.changes == 0;
    drawing.bar(row.name + (is_needless ? " (changes nothing)" : ""), factor(row) / most,
                fixed(factor(row), 1), is_needless ? kOurs : kTheirs);
  }
}

void draw_widths(Drawing& drawing, const std::map<std::int32_t, std::uint64_t>& widths,
                 std::uint64_t requests, std::string_view color) {
  double most = 0;
  auto top = top_widths(widths, 14);
  for (const auto& [width_px, count] : top) most = std::max(most, static_cast<double>(count));
  for (const auto& [width_px, count] : top) {
    double share = static_cast<double>(count) / static_cast<double>(requests);
    drawing.bar(width_px == 0 ? "none" : std::to_string(width_px),
                static_cast<double>(count) / most, percent(share), color);
  }
}

}  // namespace

std::string report_as_svg(const ReplayReport& report, const std::string& title) {
  Drawing drawing;
  drawing.heading(title);
  draw_ratios(drawing, report);
  draw_spellings(drawing, report);
  draw_splits(drawing, report);
  if (report.requests > 0) {
    drawing.heading("Widths as asked, % of the requests (the 14 most frequent)");
    draw_widths(drawing, report.widths, report.requests, kTheirs);
    drawing.heading("Widths on the ladder, % of the requests");
    draw_widths(drawing, report.stepped_widths, report.requests, kLadder);
  }
  return drawing.str();
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// Client hints: what of a request's headers may change the bytes, reduced to few classes, so that a
// picture has a handful of variants by screen and network and not thousands. Pure; a field that is
// absent or malformed says nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tintype {

// The text of each field, several lines joined by ", "; empty: absent. Everything else of a request
// is never read. The names without "Sec-CH-" are those of older browsers.
struct Hints {
  std::string_view accept;
  std::string_view dpr;             // Sec-CH-DPR, DPR
  std::string_view width;           // Sec-CH-Width, Width: layout width in device pixels
  std::string_view viewport_width;  // Sec-CH-Viewport-Width, Viewport-Width: in CSS pixels
  std::string_view save_data;       // Save-Data: on
  std::string_view ect;             // ECT: slow-2g, 2g, 3g, 4g
  std::string_view downlink;        // Downlink: megabits a second
  std::string_view rtt;             // RTT: milliseconds
  std::string_view user_agent;      // only breaks_avif reads it
};

// A request header as "Name", "value"; for tools that hold headers as text (the server reads them
// off the wire itself). Owns the texts that hints() points to.
class HintTexts {
 public:
  // False when the header is none of the hints.
  bool take(std::string_view name, std::string_view value);
  // "image/avif,*/* | ECT: 3g": fields as spec/vectors/*.txt write them; without a name, Accept.
  static HintTexts parse(std::string_view text);
  Hints hints() const;

 private:
  struct Text {
    std::string value;
    bool is_new_name = false;
  };
  std::array<Text, 9> texts_;
};

// Which of them a choice depended on, for Vary; bits, to be added.
enum HintBit : std::uint8_t {
  kAcceptBit = 1,
  kDprBit = 2,
  kWidthBit = 4,  // width and viewport width
  kNetworkBit = 8,
};

// The screen's ratio in hundredths: 100, 150, 200 or 300, the nearest at or above.
std::optional<std::int32_t> dpr_class_e2(const Hints& hints);
// The width in device pixels that the picture is shown at, snapped up to the ladder's next step,
// the last step above it. From the layout width, else from the viewport times the ratio.
std::optional<std::int32_t> width_class_px(const Hints& hints,
                                           std::span<const std::int32_t> ladder);
// Safari 16.0 to 16.3 says that it takes AVIF and shows some as noise or not at all (WebKit decodes
// grids, 10 bits and animations from 16.4 on). Apps with WebKit inside carry the same version.
bool breaks_avif(std::string_view user_agent);
// Whether bytes are dear: Save-Data: on, ECT below 4g, Downlink below 1 Mbit/s, RTT from 400 ms.
bool is_network_slow(const Hints& hints);

}  // namespace tintype

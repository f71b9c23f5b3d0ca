// SPDX-License-Identifier: Apache-2.0
// The studio: one page to try every option on one's own pictures and to read what the service makes
// of a URL. Served on the image port, only where the settings say so:
//
//   /                        the page (studio/index.html, embedded in the binary)
//   /_/studio/pictures       JSON: the sites, their pictures and presets
//   /_/studio/explain?url=…&accept=…   JSON: every pure step of the walk for that URL
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/async.h"
#include "delivery/answer.h"

namespace tintype {

struct StudioParts {
  // {"sites":[{"name":"shop","pictures":["a.jpg"],"presets":["card"]}]}
  std::function<Task<std::string>()> pictures_json;
  std::function<Task<std::string>(std::string target, std::string accept)> explain_json;
};

// Everything outside pictures: "/" and "/_/…". With the studio off these are nobody's and a 404.
bool is_studio_target(std::string_view target);

class Studio {
 public:
  // `is_on` false: answers 404 to everything.
  Studio(StudioParts parts, bool is_on);

  // What needs no waiting: the page, and what does not exist. Requires: is_studio_target.
  std::optional<Answer> answer_at_once(std::string_view target) const;
  // The rest. The target's views must stay valid meanwhile.
  Task<Answer> answer(std::string_view target, std::string_view accept) const;

 private:
  StudioParts parts_;
  bool is_on_;
  SharedEntry page_, not_found_;
};

// The value of a query parameter, percent-decoded; nothing if it is absent or malformed.
std::optional<std::string> query_value(std::string_view target, std::string_view name);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// PurgeOrder: what somebody wants removed from the caches: of one site the variants of a source, of
// all sources below a prefix, of all that carry a cache tag, of a preset, or all there are. A plain
// value; as JSON it comes in over the admin API and travels to the other tasks.
//
//   {"site": "shop", "source": "p/4711/front.jpg"}
//   {"site": "shop", "prefix": "p/4711/", "dry_run": true}
//   {"site": "shop", "tag": "sale"}      {"site": "shop", "preset": "card"}
//   {"site": "shop", "all": true}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tintype {

struct PurgeOrder {
  enum class What : std::uint8_t { Source, Prefix, Tag, Preset, All };
  std::string site;
  What what = What::Source;
  // The source's path or its prefix, decoded and without a leading '/'; the tag; the preset's name.
  std::string value;
  bool dry_run = false;  // counts, removes nothing
  // Chosen by whoever orders, so that an order that is sent again is known again; empty: made here.
  std::string id;
  bool operator==(const PurgeOrder&) const = default;
};

// "source", "prefix", "tag", "preset", "all".
std::string_view name_of(PurgeOrder::What what);

// Fails with BadRequest naming the field, its value and what is allowed; fields that nobody knows
// are refused, so that a misspelt "dry_run" purges nothing.
Result<PurgeOrder> parse_purge_order(std::string_view json);
// What parse_purge_order reads; fields at their default are left out.
std::string as_json(const PurgeOrder& order);
// "source p/4711/front.jpg of shop", "everything of shop": for people.
std::string describe(const PurgeOrder& order);

}  // namespace tintype

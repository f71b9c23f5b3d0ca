// SPDX-License-Identifier: Apache-2.0
// Writing URLs: the way back from an Ask to a URL of another language, for `tintype translate
// --to`. One small writer a language says what it can in its words; what it wrote is then read by
// the language's own parser, and must come out as the same variants for every client. So a writer
// does not have to know what its language lacks: whatever gets lost is a refusal that names it,
// never another picture. Pure; used by delivery/translate.h, which adds what the site says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dialect/mount.h"
#include "transform/ask.h"
#include "transform/settle.h"

namespace tintype {

// Whether there is a writer for it.
bool can_write(Dialect dialect);
// "imgix, cloudinary, …": the languages that can be written.
std::string written_dialects();

// The target ("/img/a.jpg?w=400&fit=max") that asks `mount` for what `ask` asks for, signed with
// the mount's first key if it has any. Everything is spelled out that the vendor would choose
// otherwise. Site, preset and unknown parameters are not written: the site is the mount's, and a
// preset must be resolved. Fails with UnsupportedOption, naming the option that the language cannot
// say; with BadRequest where the ask has no variants itself. Requires: can_write(mount.dialect).
// Costs a dozen settlings.
//
// `filled` are options for which the site has defaults, a bit per OptionId: a middle gravity and a
// dpr of 1 that the ask names are spelled out then, in languages that have words for them.
Result<std::string> write_target(const Ask& ask, const Mount& mount, std::uint32_t filled = 0);

// Fails with UnsupportedOption, naming the first option in which the variants of two asks differ,
// for one of the clients that can be told apart under `rules`. `language` is for the message.
Result<> check_same_variants(const Ask& asked, const Ask& written, const SettleRules& rules,
                             std::string_view language);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// render: Plan + source bytes -> variant bytes. The reference runner on libvips: slow and obvious,
// for every format, with loaders called by name (libvips' own format detection hangs for ever on
// some inputs, docs/internals/figures.md F-hang). Runs only inside sandboxed render workers.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "plan/plan.h"

namespace tintype {

// Loads libvips and its modules (HEIF), switches its operation cache, untrusted loaders and
// run-time code generator off and its concurrency to one thread. Must be called once in the zygote,
// before it forks; runs no operation, so that forked children are sound.
Result<> prepare_engine();

struct Rendered {
  Bytes bytes;
  Size size;  // of the encoded picture
  bool has_alpha = false;
  std::int64_t decode_us = 0,
               encode_us = 0;  // decoding is lazy: decode_us is opening, encode_us the rest
};

// Fails with Corrupt (source not decodable), Unsupported, TooLarge (encoder's limits), Internal.
Result<Rendered> render(const Plan& plan, ByteView source, const PlanLimits& limits);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "transform/transformation.h"

namespace tintype {

int default_quality_pct(Format format) {
  switch (format) {
    case Format::Avif:
      return 60;
    case Format::Png:
      return 100;
    default:
      return 80;
  }
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "transform/option_docs.h"

#include "transform/option_table.h"

namespace tintype {
namespace {

void append_row(std::string& out, const OptionSpec& spec) {
  out.append("| `").append(spec.name).append("` | ");
  std::string_view separator;
  for (std::string_view alias : spec.aliases) {
    out.append(separator).append("`").append(alias).append("`");
    separator = ", ";
  }
  out.append(" | ").append(spec.allowed);
  out.append(" | ").append(spec.fallback.empty() ? "none" : spec.fallback);
  out.append(" | ").append(spec.doc);
  out.append(" | `").append(spec.example).append("` |\n");
}

}  // namespace

std::string options_as_markdown() {
  std::string out =
      "| option | also | values | default | effect | example |\n"
      "|---|---|---|---|---|---|\n";
  for (const OptionSpec& spec : option_table()) append_row(out, spec);
  return out;
}

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// The option table as documentation: the part of docs/url-reference.md that is generated. A test
// holds the page equal to it, and rewrites the page when asked (see option_docs_test.cc).
#pragma once

#include <string>

namespace tintype {

// A Markdown table, one row per option in canonical order, ending in a newline.
std::string options_as_markdown();

}  // namespace tintype

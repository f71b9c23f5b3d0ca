// SPDX-License-Identifier: Apache-2.0
// The XML that S3 answers with, and the one body that we send: elements, texts and entities, no
// more. Strict: what S3 does not send (document types, CDATA, comments, unbalanced tags) is no
// document, so that nothing of XML's power can be turned against us. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tintype {

struct XmlElement {
  std::string name;  // attributes are skipped
  std::string text;  // decoded; of an element without children
  std::vector<XmlElement> children;

  // The first child of that name, or null.
  const XmlElement* child(std::string_view child_name) const;
  // Its text, or empty.
  std::string_view text_of(std::string_view child_name) const;
};

// The root element; nothing for anything else, for more than 100,000 elements and for more than 16
// levels.
std::optional<XmlElement> parse_xml(std::string_view text);

// As the text of an element. Requires: is_xml_text(text).
std::string escape_xml(std::string_view text);
// UTF-8 without the characters that XML 1.0 cannot hold (section 2.2), and without control
// characters, which parsers normalise.
bool is_xml_text(std::string_view text);

}  // namespace tintype

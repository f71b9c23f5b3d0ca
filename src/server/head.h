// SPDX-License-Identifier: Apache-2.0
// Response heads. What never changes about an entry is rendered once, before it is shared
// (render_head); what belongs to one request (Date, Cache-Status, Connection …) is appended behind
// it. A head here always lacks the empty line; append_request_fields() writes it. Pure;
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "delivery/answer.h"
#include "server/conditional.h"

namespace tintype {

// Fills Entry::head and, for status 200, Entry::head_not_modified. Give it to the walk as
// RenderHead.
void render_head(Entry& entry);

// The same head as text, for an entry that nobody rendered.
std::string full_head(const EntryMeta& meta, std::uint64_t size_bytes);

// The heads that few requests need, rendered when asked.
std::string partial_head(const Entry& entry, const Decision& range);
std::string not_modified_head(const EntryMeta& meta);
std::string unsatisfiable_head(const Entry& entry);
// The entry's head, or its 304 head, with a short lifetime: a stale variant must be asked for again
// soon.
std::string stale_head(std::string_view head);

// What one answer adds to its entry's head.
struct RequestFields {
  const Answer& answer;
  std::string_view date_and_server;  // "Date: …\r\nServer: tintype\r\n", cached by the loop
  std::int64_t now_unix_seconds = 0;
  std::int64_t total_us = 0;     // since the request's head was complete
  bool close = false;            // the connection ends with this answer
  bool say_keep_alive = false;   // HTTP/1.0: persistence must be said
  std::string_view trace_field;  // a whole field with its line end, or empty
};

// Also writes the empty line.
void append_request_fields(std::string& out, const RequestFields& fields);

// The value of Cache-Status (RFC 9211); empty where no cache was asked. `now` gives the remaining
// life.
void append_cache_status(std::string& out, const Answer& answer, std::int64_t now_unix_seconds);

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include "server/head.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "server/problem.h"

namespace tintype {
namespace {

// For how long caches may keep a stale variant (RFC 5861 leaves the number to us): as short as a
// browser's patience, long enough that a crowd does not come back at once.
constexpr std::int64_t kStaleMaxAgeSeconds = 10;

// A picture opened by itself may run nothing and load nothing, should it ever be taken for a
// document.
constexpr std::string_view kPicturePolicy =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; sandbox\r\n";
// Our own pages: everything inline, pictures and requests to ourselves only.
constexpr std::string_view kPagePolicy =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src "
    "'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action "
    "'none'; frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n"
    // Browsers heed these on documents only. Critical-CH: the page is asked for again at once with
    // them, so that its first picture has its size.
    "Accept-CH: Sec-CH-DPR, Sec-CH-Width, Sec-CH-Viewport-Width, Save-Data, ECT, Downlink, RTT\r\n"
    "Critical-CH: Sec-CH-DPR, Sec-CH-Viewport-Width\r\n";

void append_number(std::string& out, std::int64_t value) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void append_status_line(std::string& out, int status) {
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += phrase_of(status);
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::int64_t value) {
  out += name;
  out += ": ";
  append_number(out, value);
  out += "\r\n";
}

// What stands in a 200, its 206 and its 304 alike (RFC 9110 section 15.4.5).
void append_validators(std::string& out, const EntryMeta& meta) {
  if (!meta.etag.empty()) append_field(out, "ETag", meta.etag);
  if (meta.modified_unix_seconds > 0) {
    append_field(out, "Last-Modified", http_date(meta.modified_unix_seconds));
  }
  append_field(out, "Cache-Control", cache_control_of(meta));
  // Pictures, and why there is none, are for every page: shops, canvases, isolated documents, and
  // their timing too. Our own pages (they have no key) are not: they tell about the machine.
  if (meta.key.empty() && meta.error_code.empty()) return;
  out +=
      "Access-Control-Allow-Origin: *\r\nTiming-Allow-Origin: *\r\n"
      "Cross-Origin-Resource-Policy: cross-origin\r\n";
}

// The head without status line and length, for 200 and 206.
void append_content_fields(std::string& out, const EntryMeta& meta) {
  if (!meta.media_type.empty()) append_field(out, "Content-Type", meta.media_type);
  if (!meta.location.empty()) append_field(out, "Location", meta.location);
  out += "X-Content-Type-Options: nosniff\r\n";
  out += meta.media_type.starts_with("text/html") ? kPagePolicy : kPicturePolicy;
  if (meta.status == 200 && !meta.etag.empty()) out += "Accept-Ranges: bytes\r\n";
  if (meta.status == 405) out += "Allow: GET, HEAD\r\n";
  // RFC 9110 section 15.5.2: a 401 says how to come again. Only routes of the admin API give one.
  // Amazon SNS sends the password of its subscription once it is asked so, and wants a realm.
  if (meta.status == 401) {
    out += "WWW-Authenticate: Basic realm=\"tintype\"\r\nWWW-Authenticate: Bearer\r\n";
  }
  if (meta.retry_after_seconds > 0) append_field(out, "Retry-After", meta.retry_after_seconds);
}

// The same tags for caches in front of us that purge by them: Cloudflare and Akamai read a list
// with commas, Fastly and Varnish one with spaces; each takes its own line away.
void append_tags(std::string& out, std::string_view tags) {
  if (tags.empty()) return;
  append_field(out, "Surrogate-Key", tags);
  std::string list(tags);
  std::ranges::replace(list, ' ', ',');
  append_field(out, "Cache-Tag", list);
}

struct NamedPhase {
  std::string_view name;
  std::int64_t duration_us;
};

// "Server-Timing: fetch;dur=12.3, render;dur=40.1, total;dur=55" in milliseconds (W3C Server
// Timing).
void append_server_timing(std::string& out, const Timings& timings, std::int64_t total_us) {
  const NamedPhase phases[] = {{"disk", timings.disk_us},     {"fetch", timings.fetch_us},
                               {"plan", timings.plan_us},     {"queue", timings.queue_us},
                               {"render", timings.render_us}, {"total", total_us}};
  out += "Server-Timing: ";
  bool is_first = true;
  for (const NamedPhase& phase : phases) {
    if (phase.duration_us < 0) continue;
    if (!is_first) out += ", ";
    is_first = false;
    out += phase.name;
    out += ";dur=";
    append_number(out, phase.duration_us / 1000);
    out += '.';
    out += static_cast<char>('0' + phase.duration_us / 100 % 10);
  }
  out += "\r\n";
}

bool has_timings(const Timings& t) {
  return t.disk_us >= 0 || t.fetch_us >= 0 || t.plan_us >= 0 || t.queue_us >= 0 || t.render_us >= 0;
}

}  // namespace

std::string full_head(const EntryMeta& meta, std::uint64_t size_bytes) {
  std::string head;
  head.reserve(640);
  append_status_line(head, meta.status);
  append_content_fields(head, meta);
  append_tags(head, meta.tags);
  append_validators(head, meta);
  append_field(head, "Content-Length", static_cast<std::int64_t>(size_bytes));
  return head;
}

void render_head(Entry& entry) {
  entry.head = full_head(entry.meta, entry.body.size());
  entry.head.shrink_to_fit();
  entry.head_not_modified.clear();
  if (entry.meta.status == 200) entry.head_not_modified = not_modified_head(entry.meta);
  entry.head_not_modified.shrink_to_fit();
}

std::string not_modified_head(const EntryMeta& meta) {
  std::string head;
  append_status_line(head, 304);
  append_validators(head, meta);
  return head;
}

std::string partial_head(const Entry& entry, const Decision& range) {
  std::string head;
  append_status_line(head, 206);
  append_content_fields(head, entry.meta);
  append_validators(head, entry.meta);
  head += "Content-Range: bytes ";
  append_number(head, static_cast<std::int64_t>(range.first));
  head += '-';
  append_number(head, static_cast<std::int64_t>(range.last));
  head += '/';
  append_number(head, static_cast<std::int64_t>(entry.body.size()));
  head += "\r\n";
  append_field(head, "Content-Length", static_cast<std::int64_t>(range.last - range.first + 1));
  return head;
}

std::string unsatisfiable_head(const Entry& entry) {
  std::string head;
  append_status_line(head, 416);
  head += "Content-Range: bytes */";
  append_number(head, static_cast<std::int64_t>(entry.body.size()));
  head +=
      "\r\nContent-Length: 0\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n"
      "Timing-Allow-Origin: *\r\n";
  return head;
}

std::string stale_head(std::string_view head) {
  constexpr std::string_view kName = "\r\nCache-Control: ";
  std::size_t at = head.find(kName);
  if (at == std::string_view::npos) return std::string(head);
  std::size_t end = head.find("\r\n", at + 2);
  std::string out(head.substr(0, at + kName.size()));
  out += "public, max-age=";
  append_number(out, kStaleMaxAgeSeconds);
  out += head.substr(end);
  return out;
}

void append_cache_status(std::string& out, const Answer& answer, std::int64_t now_unix_seconds) {
  bool shows_life = false;
  switch (answer.outcome) {
    case Outcome::MemoryHit:
    case Outcome::NegativeHit:
    case Outcome::NotModified:
    case Outcome::Stale:  // its life is below zero, which is how RFC 9211 says stale
      out += "tintype; hit";
      shows_life = true;
      break;
    case Outcome::DiskHit:
      out += "tintype; hit; detail=disk";
      shows_life = true;
      break;
    case Outcome::StoreHit:
      out += "tintype; hit; detail=store";
      shows_life = true;
      break;
    case Outcome::Rendered:
      out += "tintype; fwd=miss; stored";
      break;
    case Outcome::Collapsed:
      out += "tintype; fwd=miss; collapsed";
      break;
    case Outcome::OriginError:
    case Outcome::ServerError:
      out += "tintype; fwd=miss; detail=failed";
      break;
    case Outcome::Busy:
      out += "tintype; fwd=miss; detail=busy";
      break;
    case Outcome::ClientError:
      break;
  }
  std::int64_t until = answer.entry->meta.fresh_until_unix_seconds;
  if (!shows_life || until == 0) return;
  out += "; ttl=";
  append_number(out, until - now_unix_seconds);
}

// Vary names every spelling of the fields that were read. Accept-CH asks browsers for the hints
// next time; they heed it on pages, and on pictures where the page delegates them.
void append_vary(std::string& out, std::uint8_t hints_read) {
  if (hints_read == 0) return;
  struct Named {
    HintBit bit;
    std::string_view vary, accept_ch;
  };
  static constexpr Named kNamed[] = {
      {kAcceptBit, "Accept", ""},
      {kDprBit, "Sec-CH-DPR, DPR", "Sec-CH-DPR"},
      {kWidthBit, "Sec-CH-Width, Width, Sec-CH-Viewport-Width, Viewport-Width",
       "Sec-CH-Width, Sec-CH-Viewport-Width"},
      {kNetworkBit, "Save-Data, ECT, Downlink, RTT", "Save-Data, ECT, Downlink, RTT"}};
  std::string vary, accept_ch;
  for (const Named& named : kNamed) {
    if ((hints_read & named.bit) == 0) continue;
    vary.append(vary.empty() ? "" : ", ").append(named.vary);
    if (named.accept_ch.empty()) continue;
    accept_ch.append(accept_ch.empty() ? "" : ", ").append(named.accept_ch);
  }
  out.append("Vary: ").append(vary).append("\r\n");
  if (!accept_ch.empty()) out.append("Accept-CH: ").append(accept_ch).append("\r\n");
}

void append_request_fields(std::string& out, const RequestFields& fields) {
  const Answer& answer = fields.answer;
  out += fields.date_and_server;
  std::size_t before = out.size();
  out += "Cache-Status: ";
  std::size_t value_at = out.size();
  append_cache_status(out, answer, fields.now_unix_seconds);
  if (out.size() == value_at) {
    out.resize(before);
  } else {
    out += "\r\n";
  }
  append_vary(out, answer.hints_read);
  // Only remembered failures age: their max-age counts from when they happened. A variant that we
  // serve is current at this moment, so its max-age begins now; an Age beyond it would forbid
  // every cache in front of us to keep the picture at all.
  if (answer.age_seconds > 0 && answer.entry->is_negative()) {
    append_field(out, "Age", answer.age_seconds);
  }
  if (has_timings(answer.timings)) append_server_timing(out, answer.timings, fields.total_us);
  out += fields.trace_field;
  if (fields.close) {
    out += "Connection: close\r\n";
  } else if (fields.say_keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace tintype

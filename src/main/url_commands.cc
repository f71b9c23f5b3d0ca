// SPDX-License-Identifier: Apache-2.0
// The commands that read URLs and print a line for each: translate, canonical, sign.
#include "main/url_commands.h"

#include <cstdio>
#include <functional>
#include <iostream>

#include "base/clock.h"
#include "base/text.h"
#include "delivery/naming.h"
#include "delivery/translate.h"
#include "dialect/dialect.h"
#include "dialect/write.h"
#include "main/commands.h"
#include "main/config_file.h"
#include "policy/signature.h"
#include "policy/yaml_reader.h"

namespace tintype {

// Of "Name: value" headers those that may change bytes.
Result<HintTexts> hints_of(const std::vector<std::string>& headers) {
  HintTexts texts;
  for (const std::string& header : headers) {
    std::size_t colon = header.find(':');
    if (colon == std::string::npos) {
      return fail_public(ErrorCode::BadRequest, "-H '" + header + "': must be 'Name: value'");
    }
    std::string_view text = header;
    texts.take(trim(text.substr(0, colon)), trim(text.substr(colon + 1)));
  }
  return texts;
}

namespace {

// Calls `each` with every URL, with the lines of standard input for "-"; whether all were fine.
bool for_each_url(const std::vector<std::string>& urls,
                  const std::function<bool(const std::string&)>& each) {
  bool is_fine = true;
  for (const std::string& url : urls) {
    if (url != "-") {
      is_fine &= each(url);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty()) is_fine &= each(line);
    }
  }
  return is_fine;
}

// Of a URL that cannot be worked with; false, so that the command ends with a failure.
bool complain_of(const std::string& url, const Error& error) {
  const std::string& why = error.detail.empty() ? error.message : error.detail;
  std::fprintf(stderr, "tintype: %s: %s\n", url.c_str(), why.c_str());
  return false;
}

// Prints the URL in the other language, or why there is none; whether there was one.
bool print_translated(const std::string& url, const Policy& policy, Dialect to) {
  auto ask = parse_target(target_of_url(url), policy.mounts);
  if (!ask) return complain_of(url, ask.error());
  auto translation = translate(*ask, policy, to);
  if (!translation) return complain_of(url, translation.error());
  std::printf("%s\n", translation->target.c_str());
  if (!translation->note.empty()) {
    std::fprintf(stderr, "tintype: %s: note: %s\n", url.c_str(), translation->note.c_str());
  }
  return true;
}

// "error bad-request w": as the vectors of spec/vectors write it. A name that a client made up may
// hold anything; what would break the line becomes '?'.
std::string error_line(const Error& error) {
  std::string text = "error " + std::string(name_of(error.code));
  if (error.option.empty()) return text;
  text += ' ';
  for (char c : error.option) text += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return text;
}

// A line is a URL, or "URL | Name: value | …" with headers of its own.
std::string canonical_line(const std::string& line, const Hints& hints, const SharedPolicy& policy,
                           std::int64_t now_unix_seconds) {
  std::size_t bar = line.find(" | ");
  std::string target = target_of_url(std::string_view(line).substr(0, bar));
  HintTexts own;
  if (bar != std::string::npos) own = HintTexts::parse(std::string_view(line).substr(bar + 3));
  Viewing viewing{target, bar == std::string::npos ? hints : own.hints()};
  auto named = name_variant(viewing, policy, now_unix_seconds);
  return named ? named->path : error_line(named.error());
}

Result<std::int64_t> seconds_of(const std::string& duration) {
  TRY(YamlReader reader, YamlReader::parse("'" + duration + "'"));
  TRY(std::int64_t ms, reader.as_duration_ms());
  return ms / 1000;
}

// The URL without a fragment and without what a signature was made of before.
std::string without_signature(const std::string& url) {
  std::string bare = url.substr(0, url.find('#'));
  std::size_t question = bare.find('?');
  if (question == std::string::npos) return bare;
  std::string query;
  for (std::string_view part : split(std::string_view(bare).substr(question + 1), '&')) {
    auto name = percent_decode(part.substr(0, part.find('=')));
    bool is_of_signature =
        name && (equals_ignoring_case(*name, "s") || equals_ignoring_case(*name, "expires"));
    if (!is_of_signature && !part.empty()) query.append(query.empty() ? "?" : "&").append(part);
  }
  return bare.substr(0, question) + query;
}

// Without a new end the URL keeps the one that it has.
bool print_signed(const std::string& url, const Policy& policy,
                  std::optional<std::int64_t> expires_unix_seconds) {
  auto ask = parse_target(target_of_url(url), policy.mounts);
  if (!ask) return complain_of(url, ask.error());
  const SitePolicy* site = policy.find(ask->site);
  if (!site || site->signing_keys.empty()) {
    return complain_of(url, Error::in_public(ErrorCode::BadRequest,
                                             "site " + ask->site + " does not sign its URLs"));
  }
  if (ask->is_signed_by_vendor) {
    return complain_of(
        url, Error::in_public(ErrorCode::BadRequest, "this mount takes its vendor's signatures"));
  }
  if (expires_unix_seconds) ask->expires_unix_seconds = expires_unix_seconds;
  std::string text = without_signature(url);
  text += text.find('?') == std::string::npos ? '?' : '&';
  if (auto expires = ask->expires_unix_seconds) text += "expires=" + std::to_string(*expires) + "&";
  std::printf("%ss=%s\n", text.c_str(), sign(*ask, site->signing_keys.front()).c_str());
  return true;
}

}  // namespace

int run_translate(const TranslateArguments& arguments) {
  auto to = dialect_named(arguments.to);
  if (!to || !can_write(*to)) {
    std::string allowed = "--to " + arguments.to + ": must be one of " + written_dialects();
    return complain(Error::in_public(ErrorCode::BadRequest, std::move(allowed)), 2);
  }
  auto policy = load_policy(arguments.config);
  if (!policy) return complain(policy.error(), 2);
  auto each = [&](const std::string& url) { return print_translated(url, *policy, *to); };
  return for_each_url(arguments.urls, each) ? 0 : 1;
}

int run_canonical(const CanonicalArguments& arguments) {
  auto headers = hints_of(arguments.headers);
  if (!headers) return complain(headers.error(), 2);
  auto policy = load_policy(arguments.config);
  if (!policy) return complain(policy.error(), 2);
  auto shared = std::make_shared<const Policy>(std::move(*policy));
  // Whoever writes lines and waits for their answers gets them.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  std::int64_t now = arguments.now_unix_seconds;
  if (now == 0) now = SystemClock().unix_seconds();
  auto each = [&](const std::string& line) {
    std::string path = canonical_line(line, headers->hints(), shared, now);
    std::printf("%s\n", path.c_str());
    return path.starts_with('/');
  };
  return for_each_url(arguments.urls, each) ? 0 : 1;
}

int run_sign(const SignArguments& arguments) {
  auto policy = load_policy(arguments.config);
  if (!policy) return complain(policy.error(), 2);
  std::optional<std::int64_t> expires;
  if (!arguments.expires_in.empty()) {
    auto seconds = seconds_of(arguments.expires_in);
    if (!seconds) return complain(seconds.error(), 2);
    expires = SystemClock().unix_seconds() + *seconds;
  }
  auto each = [&](const std::string& url) { return print_signed(url, *policy, expires); };
  return for_each_url(arguments.urls, each) ? 0 : 1;
}

}  // namespace tintype

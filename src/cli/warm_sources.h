// SPDX-License-Identifier: Apache-2.0
// Which sources a warm run is for, from what shops have: a list of SKUs or paths, a sitemap, an
// access log, a listing of a bucket. What names none of the site's sources is counted, not fatal:
// sitemaps list pages, logs list everything. Reads files that may be gzip; "-" is standard input,
// but not for sitemaps.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

namespace tintype {

// Whether a path ends like a picture: "p/a.JPG".
bool is_picture_name(std::string_view path);

// Sources in the order in which they are to be warmed, none twice.
class WarmSources {
 public:
  // `strip_prefix` is cut off URLs and paths first ("https://dam.example/assets/", "shop/").
  // `policy` must outlive this.
  WarmSources(const Policy& policy, std::string site, std::string strip_prefix);

  // A SKU or a path a line; with a pattern such as "p/{}/front.jpg" the line stands in its place.
  // Empty lines and those that begin with '#' are passed over.
  Result<> add_skus(const std::string& path, const std::string& pattern);
  // Keys a line, as `aws s3 ls --recursive` writes them (date, time, size, key) or alone. Of files
  // that are no pictures by their names nothing is taken.
  Result<> add_listing(const std::string& path);
  // Any log that `tintype replay` reads; the most asked sources first, at most `limit`.
  Result<> add_log(const std::string& path, std::size_t limit);
  // The sitemap's pictures, and those of its pages that are pictures by their names. `read` gets a
  // file or URL, whole; it is asked for the sitemaps of an index too.
  using Read = std::function<Result<std::string>(const std::string& where)>;
  Result<> add_sitemap(const std::string& where, const Read& read);
  // Paths of sources as they are.
  void add_all(const std::vector<std::string>& sources);

  const std::vector<std::string>& sources() const { return sources_; }
  std::uint64_t passed_over() const { return passed_over_; }
  const std::string& example() const { return example_; }  // of what was passed over

 private:
  void add(std::string source);
  void add_key(std::string_view key);
  void add_url(const std::string& url);
  void pass_over(std::string_view what);
  std::string source_of_target(std::string_view target) const;

  const Policy& policy_;
  std::string site_, strip_prefix_;
  std::vector<std::string> sources_;
  std::unordered_set<std::string> known_;
  std::uint64_t passed_over_ = 0;
  std::string example_;
};

}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
// For the tests of the disk tier: a folder that goes away with the test, and entries whose bytes
// follow from their key and a seed kept in the ETag, so that a test can tell right bytes from wrong
// ones without trusting a checksum. Not thread-safe; no part of the product.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "cache/disk_tier.h"

namespace tintype {

class ScratchFolder {
 public:
  ScratchFolder() {
    // In memory where possible: thousands of small files are slow on a busy disk.
    std::filesystem::path root = "/dev/shm";
    if (::access(root.c_str(), W_OK) != 0) root = std::filesystem::temp_directory_path();
    std::string pattern = (root / "tintype-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Bytes body_of(const std::string& key, unsigned seed, std::size_t size_bytes) {
  std::minstd_rand random(static_cast<unsigned>(xxh3_64(view_of(key))) + seed);
  Bytes body(size_bytes);
  for (auto& byte : body) byte = static_cast<std::uint8_t>(random() >> 8);
  return body;
}

inline Entry make_entry(const std::string& key, std::size_t size_bytes, unsigned seed = 0,
                        std::int64_t now = 1'700'000'000) {
  Entry entry;
  entry.meta.key = key;
  entry.meta.media_type = "image/webp";
  entry.meta.etag = std::to_string(seed);
  entry.meta.site = "shop";
  entry.meta.source = key.substr(0, key.find("/_/"));
  entry.meta.stored_unix_seconds = now;
  entry.meta.fresh_until_unix_seconds = now + 3600;
  entry.body = body_of(key, seed, size_bytes);
  return entry;
}

inline bool is_right(const Entry& entry, const std::string& key) {
  auto seed = static_cast<unsigned>(std::stoul(entry.meta.etag));
  return entry.meta.key == key && entry.body == body_of(key, seed, entry.body.size());
}

inline std::string file_of(const std::string& folder, const std::string& key) {
  std::string name = hex(sha256(view_of(key)));
  return folder + '/' + name.substr(0, 2) + '/' + name.substr(2, 2) + '/' + name;
}

inline std::string slurp(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spill(const std::string& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

inline std::vector<std::string> variant_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder)) {
    std::string name = item.path().filename().string();
    if (item.is_regular_file() && name.size() == 64) files.push_back(item.path().string());
  }
  return files;
}

// Whether it ended within half a minute.
inline bool wait_until_reconciled(const DiskTier& tier) {
  for (int i = 0; i < 3000; ++i) {
    if (!tier.state().is_reconciling) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace tintype

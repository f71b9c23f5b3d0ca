// SPDX-License-Identifier: Apache-2.0
// For tests only: what the tests of the store say most often. A folder that goes away with the
// test, and a coroutine that is run to its end on a loop of its own. Each test owns its own
// objects; header-only, so that the test files share it.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <stdlib.h>

#include "base/async.h"
#include "base/check.h"

namespace tintype {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tintype-store-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  void write(std::string_view name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << text;
  }

 private:
  std::filesystem::path path_;
};

template <class T>
T run(Task<T> task) {
  return run_to_end(std::move(task));
}

}  // namespace tintype

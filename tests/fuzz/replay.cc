// SPDX-License-Identifier: Apache-2.0
// Feeds every file below the given folders to a libFuzzer entry: how fuzz targets run in the
// ordinary suite, with any compiler. A folder that does not exist is named and left out; the first
// must exist.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  int replayed = 0;
  for (int i = 1; i < argc; ++i) {
    if (!fs::exists(argv[i])) {
      std::printf("not here, left out: %s\n", argv[i]);
      if (i == 1) return 1;
      continue;
    }
    for (const auto& file : fs::recursive_directory_iterator(argv[i])) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
      // Whole, and cut at several points: truncation is the commonest damage.
      for (std::size_t part = 1; part <= 8; ++part) {
        std::vector<std::uint8_t> cut(
            bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() * part / 8));
        LLVMFuzzerTestOneInput(cut.data(), cut.size());
      }
      ++replayed;
    }
  }
  std::printf("%d files replayed\n", replayed);
  return replayed > 0 ? 0 : 1;
}

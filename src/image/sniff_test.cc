// SPDX-License-Identifier: Apache-2.0
#include "image/sniff.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "image/sniff_samples.h"

namespace tintype {
namespace {

namespace fs = std::filesystem;
using namespace samples;
using std::string_view_literals::operator""sv;

const fs::path kRoot = TINTYPE_ROOT;
const fs::path kCorpora = kRoot / ".." / "shared" / "corpora";

Bytes read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes((std::istreambuf_iterator<char>(in)), {});
}

// Empty when the answer is one that the contract allows.
std::string complaint_about(const Result<ImageInfo>& info) {
  if (!info) {
    const Error& error = info.error();
    if (error.detail.empty()) return "a failure without a public sentence";
    const bool is_allowed =
        error.code == ErrorCode::Unsupported || error.code == ErrorCode::Corrupt;
    return is_allowed ? "" : "a failure of another code";
  }
  if (info->stored.empty() || info->upright().empty()) return "no pixels";
  if (info->frames < 1 || info->frames > 10'000) return "frames out of bounds";
  if (info->bits < 1 || info->bits > 64) return "bits out of bounds";
  if (info->chroma_x < 1 || info->chroma_y < 1) return "chroma out of bounds";
  return "";
}

std::string detail_of(std::string_view source) {
  const auto info = sniff(view_of(source));
  return info ? "accepted" : info.error().detail;
}

TEST(Sniff, TellsFormatsByTheirFirstBytes) {
  const std::vector<Format> expected = {Format::Jpeg, Format::Png,  Format::Webp,
                                        Format::Webp, Format::Webp, Format::Gif,
                                        Format::Tiff, Format::Avif, Format::Heic};
  const auto sources = one_of_each();
  ASSERT_EQ(sources.size(), expected.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(sniff_format(sources[i]).value(), expected[i]);
    const auto info = sniff(sources[i]);
    ASSERT_TRUE(info) << i << " " << info.error().detail;
    EXPECT_EQ(info->format, expected[i]);
    EXPECT_EQ(complaint_about(info), "");
  }
}

TEST(Sniff, SvgIsAFormatButNoSource) {
  for (std::string_view svg :
       {"<svg xmlns='http://www.w3.org/2000/svg'/>"sv,
        "\xEF\xBB\xBF\n <?xml version='1.0'?><svg/>"sv,
        "<!-- note --><!DOCTYPE svg PUBLIC 'x'><svg>"sv, "<s:svg xmlns:s='x'/>"sv}) {
    EXPECT_EQ(sniff_format(view_of(svg)).value(), Format::Svg) << svg;
    const auto info = sniff(view_of(svg));
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, ErrorCode::Unsupported);
    EXPECT_EQ(info.error().detail, "svg is not a supported source format");
  }
}

TEST(Sniff, NamesWhatPeopleHandInByMistake) {
  EXPECT_EQ(detail_of("\x1F\x8B\x08\0"sv),
            "gzip (compressed svg) is not a supported source format");
  EXPECT_EQ(detail_of("BM\0\0"sv), "BMP is not a supported source format");
  EXPECT_EQ(detail_of("%PDF-1.7"), "PDF is not a supported source format");
  EXPECT_EQ(detail_of("\xFF\x0A\0"sv), "JPEG XL is not a supported source format");
  EXPECT_EQ(detail_of(" <!DOCTYPE HTML><svg>"), "the source is an HTML page, not a picture");
  EXPECT_EQ(detail_of("push graphic-context\nviewbox 0 0 1 1"),
            "the source is not in a picture format we know");
  EXPECT_EQ(detail_of("<xml><data/>"), "the source is not in a picture format we know");
}

TEST(Sniff, AnEmptySourceIsCorrupt) {
  ASSERT_FALSE(sniff({}));
  EXPECT_EQ(sniff({}).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(sniff_format({}).error().detail, "the source is empty");
}

TEST(Sniff, AlmostMagicIsUnknown) {
  for (std::string_view text : {"\xFF\xD8"sv, "GIF88a"sv, "RIFF\0\0\0\0WAVE"sv, "II*"sv, "\x89PN"sv,
                                "RIFF"sv, "RIFF\0\0\0\0WEB"sv,
                                "\0\0\0\x08"
                                "ftyp"sv}) {
    const auto info = sniff(view_of(text));
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, ErrorCode::Unsupported);
  }
}

TEST(SniffProperty, AnyBytesComeBack) {
  EXPECT_TRUE(rc::check(
      "random bytes", [](const Bytes& bytes) { RC_ASSERT(complaint_about(sniff(bytes)) == ""); }));
}

TEST(SniffProperty, AnyBytesBehindAMagicComeBack) {
  const auto sources = one_of_each();
  EXPECT_TRUE(rc::check("random tails", [&](Bytes tail) {
    const Bytes& source = sources[*rc::gen::inRange<std::size_t>(0, sources.size())];
    const auto kept = *rc::gen::inRange<std::size_t>(4, source.size() + 1);
    tail.insert(tail.begin(), source.begin(), source.begin() + static_cast<std::ptrdiff_t>(kept));
    RC_ASSERT(complaint_about(sniff(tail)) == "");
  }));
}

// A few bytes changed and the end cut off, many times over for each seed that is drawn.
TEST(SniffProperty, DamagedHeadersComeBack) {
  const auto sources = one_of_each();
  EXPECT_TRUE(rc::check("mutations", [&](std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t bound) { return random() % bound; };
    for (int round = 0; round < 200; ++round) {
      Bytes source = sources[below(sources.size())];
      for (std::size_t changes = 1 + below(5); changes > 0; --changes) {
        source[below(source.size())] = static_cast<std::uint8_t>(random());
      }
      source.resize(source.size() - below(source.size() / 2));
      RC_ASSERT(complaint_about(sniff(source)) == "");
    }
  }));
}

TEST(SniffProperty, EveryCutComesBack) {
  for (const Bytes& whole : one_of_each()) {
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      ASSERT_EQ(complaint_about(sniff(ByteView(whole).first(size))), "") << size;
    }
  }
}

// Every single byte of every sample set to every value that tends to hurt: 60,000 headers.
TEST(SniffProperty, EverySingleByteMayBeWrong) {
  for (const Bytes& whole : one_of_each()) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (std::uint8_t value : {0, 1, 3, 0x7F, 0x80, 0xFF}) {
        Bytes source = whole;
        source[at] = value;
        ASSERT_EQ(complaint_about(sniff(source)), "") << at << " " << int{value};
      }
    }
  }
}

// "path format w h orientation alpha frames": what independent readers say of real files, see the
// head of each list. Returns how many files were compared.
int compare_with_list(const fs::path& list, const fs::path& folder) {
  std::ifstream in(list);
  EXPECT_TRUE(in) << list;
  int compared = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string path, expected, answer;
    fields >> path;
    std::getline(fields >> std::ws, expected);
    EXPECT_TRUE(fs::exists(folder / path)) << folder / path;
    const auto info = sniff(read_whole(folder / path));
    if (info) {
      std::ostringstream out;
      out << name_of(info->format) << ' ' << info->stored.width_px << ' ' << info->stored.height_px
          << ' ' << static_cast<int>(info->orientation) << ' ' << info->has_alpha << ' '
          << info->frames;
      answer = out.str();
    } else {
      answer = name_of(info.error().code);
    }
    EXPECT_EQ(answer, expected) << path;
    ++compared;
  }
  return compared;
}

TEST(SniffFiles, SeedsAreWhatTheirListSays) {
  const fs::path seeds = kRoot / "tests/fuzz/corpus/sniff";
  const int compared = compare_with_list(kRoot / "src/image/testdata/seeds.txt", seeds);
  const auto files = std::distance(fs::directory_iterator(seeds), fs::directory_iterator());
  EXPECT_EQ(compared, files) << "every seed stands in the list";
}

TEST(SniffFiles, CorporaAreWhatTheirListSays) {
  if (!fs::exists(kCorpora)) GTEST_SKIP() << "not here, left out: " << kCorpora;
  EXPECT_GT(compare_with_list(kRoot / "src/image/testdata/corpora.txt", kCorpora), 300);
}

TEST(SniffFiles, EveryFileOfTheCorporaComesBack) {
  if (!fs::exists(kCorpora)) GTEST_SKIP() << "not here, left out: " << kCorpora;
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpora)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_EQ(complaint_about(sniff(read_whole(entry.path()))), "") << entry.path();
  }
  EXPECT_GT(files, 300);
}

}  // namespace
}  // namespace tintype

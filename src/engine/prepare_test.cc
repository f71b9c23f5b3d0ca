// SPDX-License-Identifier: Apache-2.0
// Prepares the engine for all tests of this layer and, before any operation has run in this
// process, looks at what a forked worker will live with.
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/pictures_testing.h"

namespace tintype {
namespace {

using namespace testing;

constexpr Format kSources[] = {Format::Jpeg, Format::Png, Format::Webp,
                               Format::Avif, Format::Gif, Format::Tiff};
constexpr Format kTargets[] = {Format::Jpeg, Format::Png, Format::Webp, Format::Avif};

struct Facts {
  bool prepared = false;
  std::string threads;
  int child_status = -1;
};
Facts facts;

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string threads_of_this_process() {
  const std::string status = read_file("/proc/self/status");
  const auto at = status.find("Threads:");
  return status.substr(at, status.find('\n', at) - at);
}

// Address ranges that may be executed.
int count_executable(const std::string& maps) {
  int count = 0;
  for (std::size_t at = 0; (at = maps.find("xp ", at)) != maps.npos; ++at) ++count;
  for (std::size_t at = 0; (at = maps.find("xs ", at)) != maps.npos; ++at) ++count;
  return count;
}

// Runs `body` in a fork; its return value becomes the exit status.
template <class Body>
int in_child(const Body& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

std::string sample_path(Format format) {
  return ::testing::TempDir() + "tintype-engine-" + std::to_string(getpid()) + "." +
         std::string(name_of(format));
}

// Pictures are made in a child too: this process must not run an operation before the forks.
int make_samples(const std::string (&paths)[std::size(kSources)]) {
  for (std::size_t i = 0; i < std::size(kSources); ++i) {
    const Bytes bytes = stored_as(kSources[i], quadrants({120, 90}));
    std::ofstream(paths[i], std::ios::binary) << text_of(bytes);
  }
  return 0;
}

Transformation everything(Format format) {
  Transformation t = to(format, 40, 40, Fit::Cover);
  t.gravity = Gravity{.kind = Gravity::Kind::Smart};
  t.rotate_deg = 90;
  t.sharpen_e2 = 100;
  t.blur_e2 = 50;
  t.keep_metadata = KeepMetadata::Copyright;
  return t;
}

// A worker's life: no file can be opened, no code is generated. 0: all is well.
int render_confined(const std::string (&paths)[std::size(kSources)]) {
  Bytes sources[std::size(kSources)];
  for (std::size_t i = 0; i < std::size(kSources); ++i) {
    const std::string text = read_file(paths[i].c_str());
    sources[i].assign(text.begin(), text.end());
  }
  const int executable = count_executable(read_file("/proc/self/maps"));
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const rlim_t allowed = files.rlim_cur;
  files.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &files);
  for (const Bytes& source : sources) {
    for (Format target : kTargets) {
      if (!try_render(everything(target), source)) return 1;
      Transformation trimmed = to(target, 40, 50, Fit::Pad);
      trimmed.trim_threshold = 10;
      if (!try_render(trimmed, source)) return 2;
    }
  }
  files.rlim_cur = allowed;
  setrlimit(RLIMIT_NOFILE, &files);
  return count_executable(read_file("/proc/self/maps")) == executable ? 0 : 3;
}

class PreparedEngine : public ::testing::Environment {
 public:
  void SetUp() override {
    const auto prepared = prepare_engine();
    ASSERT_TRUE(prepared) << prepared.error().message;
    facts.prepared = true;
    facts.threads = threads_of_this_process();
    std::string paths[std::size(kSources)];
    for (std::size_t i = 0; i < std::size(kSources); ++i) paths[i] = sample_path(kSources[i]);
    ASSERT_EQ(in_child([&] { return make_samples(paths); }), 0);
    facts.child_status = in_child([&] { return render_confined(paths); });
    for (const std::string& path : paths) unlink(path.c_str());
  }
};

[[maybe_unused]] const auto* const environment =
    ::testing::AddGlobalTestEnvironment(new PreparedEngine);

TEST(Prepare, LeavesOneThread) {
  EXPECT_EQ(facts.threads, "Threads:\t1");
}

TEST(Prepare, ForkedChildRendersWithoutOpeningFilesOrGeneratingCode) {
  EXPECT_EQ(facts.child_status, 0) << "1, 2: a render failed; 3: executable memory was made; "
                                      "above 1000: killed by a signal";
}

TEST(Prepare, LoadsNoDecoderThatIsNeverCalled) {
  ASSERT_TRUE(facts.prepared);
  EXPECT_NE(vips_type_find("VipsForeignLoad", "heifload_buffer"), 0u);
  for (const char* name : {"magickload_buffer", "pdfload_buffer", "openslideload"}) {
    // Poppler, ImageMagick and OpenSlide are modules; where they are built in, they are blocked.
    const GType type = vips_type_find("VipsForeignLoad", name);
    if (type == 0) continue;
    const auto* loader = VIPS_OPERATION_CLASS(g_type_class_ref(type));
    EXPECT_TRUE(loader->flags & VIPS_OPERATION_BLOCKED) << name;
  }
}

}  // namespace
}  // namespace tintype

// SPDX-License-Identifier: Apache-2.0
#include <ctime>
#include <string>

#include <gmodule.h>
// vector.h needs what vips.h declares.
// clang-format off
#include <vips/vips.h>
#include <vips/vector.h>
// clang-format on

#include "engine/render.h"

namespace tintype {
namespace {

constexpr const char* kPrefixVariable = "VIPSHOME";

// What a plan may call. Classes are set up lazily, some opening files or libraries as they are:
// here, not in a sandboxed child.
constexpr const char* kOperations[] = {
    "jpegload_buffer",
    "pngload_buffer",
    "webpload_buffer",
    "heifload_buffer",
    "gifload_buffer",
    "tiffload_buffer",
    "jpegsave_buffer",
    "pngsave_buffer",
    "webpsave_buffer",
    "heifsave_buffer",
    "colourspace",
    "copy",
    "cast",
    "resize",
    "reduceh",
    "reducev",
    "shrink",
    "shrinkh",
    "shrinkv",
    "affine",
    "premultiply",
    "unpremultiply",
    "round",
    "extract_area",
    "extract_band",
    "rot",
    "flip",
    "icc_transform",
    "icc_import",
    "icc_export",
    "smartcrop",
    "sharpen",
    "gaussblur",
    "flatten",
    "embed",
    "bandjoin_const",
    "bandjoin",
    "conv",
    "convsep",
    "gaussmat",
    "sequential",
    "linecache",
    "tilecache",
};

void ignore_log(const char*, GLogLevelFlags, const char*, void*) {}

// Sets an environment variable while libvips and its libraries start, which is when they read it.
// The process has one thread and has not begun to serve.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) { g_setenv(name, value, TRUE); }
  ~ScopedVariable() { g_unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

Result<> start_libvips() {
  // libvips warns on stderr about every damaged profile; what matters comes back as an error.
  constexpr int kLevels =
      G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_MESSAGE;
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(kLevels), ignore_log, nullptr);
  // libvips loads every module below its prefix: it is given a prefix without any.
  const ScopedVariable prefix(kPrefixVariable, "/nonexistent");
  // Before 8.15 libvips generates code at run time (ORC), in memory that is writable and
  // executable, which the sandbox forbids (docs/internals/figures.md F-orc); some operations do so
  // even when vectors are off.
  const ScopedVariable no_generated_code("ORC_CODE", "emulate");
  if (vips_init("tintype") != 0) return fail_private(ErrorCode::Internal, vips_error_buffer());
  if (vips_version(0) == 8 && vips_version(1) < 15) vips_vector_set_enabled(FALSE);
  return {};
}

// HEIF is a module in some builds of libvips. The other modules (ImageMagick, Poppler, OpenSlide)
// must not be in the process at all, so it is the only one that is loaded.
Result<> load_heif_module(const std::string& module_folder) {
  if (vips_type_find("VipsForeignLoad", "heifload_buffer")) return {};
  const std::string path = module_folder + "/vips-heif.so";
  GModule* module = g_module_open(path.c_str(), static_cast<GModuleFlags>(0));
  if (!module) return fail_private(ErrorCode::Internal, g_module_error());
  g_module_make_resident(module);
  return {};
}

Result<> set_up_classes() {
  for (const char* name : kOperations) {
    const GType type = vips_type_find("VipsOperation", name);
    if (!type) return fail_private(ErrorCode::Internal, std::string("libvips lacks ") + name);
    // Never unreferenced: the class stays set up for the life of the process.
    g_type_class_ref(type);
  }
  return {};
}

}  // namespace

Result<> prepare_engine() {
  const std::string module_folder = std::string(vips_guess_libdir("tintype", kPrefixVariable)) +
                                    "/vips-modules-" + std::to_string(vips_version(0)) + "." +
                                    std::to_string(vips_version(1));
  TRY(start_libvips());
  TRY(load_heif_module(module_folder));
  vips_block_untrusted_set(TRUE);
  vips_cache_set_max(0);
  vips_concurrency_set(1);
  vips_leak_set(FALSE);
  // Reads /etc/localtime now instead of in a child that may open nothing.
  tzset();
  return set_up_classes();
}

}  // namespace tintype

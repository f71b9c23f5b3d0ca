// SPDX-License-Identifier: Apache-2.0
#include "cli/convert.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>

#include "base/text.h"
#include "cli/progress.h"
#include "delivery/naming.h"
#include "dialect/dialect.h"
#include "image/sniff.h"
#include "transform/settle.h"

namespace tintype {
namespace {

namespace fs = std::filesystem;

struct Item {
  fs::path from, to;
  Transformation settled;
};

bool is_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  return extension.size() > 1 && format_named(extension.substr(1)).has_value();
}

Result<Bytes> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail_public(ErrorCode::NotFound, "cannot be read");
  Bytes bytes((std::istreambuf_iterator<char>(in)), {});
  if (in.bad()) return fail_public(ErrorCode::NotFound, "cannot be read to its end");
  return bytes;
}

// A file's name tells its format, so it is decided before the rest is planned. What cannot be read
// is reported when its turn comes.
Format format_of_alpha(const fs::path& source) {
  auto bytes = read_file(source);
  if (!bytes) return Format::Jpeg;
  auto info = sniff(*bytes);
  return info && info->has_alpha ? Format::Png : Format::Jpeg;
}

// The options as if asked in a URL; an output's extension decides the format where the options do
// not.
Result<Transformation> read_options(const ConvertOrder& order, const fs::path& from,
                                    const fs::path& to) {
  // Of the source's name only the extension matters here; the rest may be in any encoding.
  TRY(Ask ask, parse_target("/" + order.site.name + "/picture" + lower(from.extension().string()) +
                            "?" + order.options));
  TRY(ask, admit(ask, order.site));
  if (ask.transformation.format_auto && to.has_extension()) {
    auto format = format_named(to.extension().string().substr(1));
    if (!format || !is_encodable(*format)) {
      return fail_public(ErrorCode::BadRequest,
                         to.string() +
                             ": cannot write this kind of file; use .jpg, .png, .webp or "
                             ".avif, or name a format: --as f=webp",
                         "f");
    }
    ask.transformation.format_auto = false;
    ask.transformation.format = *format;
  }
  TRY(Transformation settled, settle(ask, Hints{}, order.site.format_order));
  if (settled.format == Format::JpegOrPng) settled.format = format_of_alpha(from);
  return settled;
}

fs::path named_for(fs::path path, Format format) {
  return path.replace_extension(format == Format::Jpeg ? "jpg" : name_of(format));
}

Result<Item> item_for_file(const ConvertOrder& order) {
  std::error_code error;
  fs::path to = order.out;
  bool is_into_folder = fs::is_directory(to, error);
  TRY(Transformation settled, read_options(order, order.in, is_into_folder ? fs::path() : to));
  if (is_into_folder) to = named_for(to / fs::path(order.in).filename(), settled.format);
  return Item{order.in, to, settled};
}

Result<std::vector<Item>> list_items(const ConvertOrder& order) {
  std::error_code error;
  if (!fs::exists(order.in, error)) {
    return fail_public(ErrorCode::NotFound, order.in + ": no such file or folder");
  }
  if (!fs::is_directory(order.in, error)) {
    TRY(Item item, item_for_file(order));
    return std::vector<Item>{std::move(item)};
  }
  if (fs::exists(order.out, error) && !fs::is_directory(order.out, error)) {
    return fail_public(ErrorCode::BadRequest, order.out + ": is a file, but IN is a folder");
  }
  std::vector<Item> items;
  for (auto it = fs::recursive_directory_iterator(
           order.in, fs::directory_options::skip_permission_denied, error);
       it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (!it->is_regular_file(error) || !is_picture_name(it->path())) continue;
    TRY(Transformation settled, read_options(order, it->path(), {}));
    fs::path to = fs::path(order.out) / fs::relative(it->path(), order.in, error);
    items.push_back({it->path(), named_for(to, settled.format), settled});
  }
  if (error) {
    return fail_public(ErrorCode::NotFound, order.in + ": cannot be read: " + error.message());
  }
  if (items.empty()) {
    return fail_public(ErrorCode::NotFound, order.in + ": no pictures in this folder");
  }
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.from < b.from; });
  return items;
}

// Said before anything is written: an original that would be written over, and two sources that
// differ only in their extension and would become one file.
Result<> refuse_collisions(const std::vector<Item>& items) {
  std::set<fs::path> originals;
  std::error_code error;
  for (const Item& item : items) originals.insert(fs::weakly_canonical(item.from, error));
  std::map<fs::path, fs::path> seen;
  for (const Item& item : items) {
    if (originals.contains(fs::weakly_canonical(item.to, error))) {
      return fail_public(ErrorCode::BadRequest, item.to.string() +
                                                    " is an original and would be written over; "
                                                    "name another OUT");
    }
    auto [it, is_new] = seen.emplace(item.to, item.from);
    if (!is_new) {
      return fail_public(ErrorCode::BadRequest, it->second.string() + " and " + item.from.string() +
                                                    " would both become " + item.to.string());
    }
  }
  return {};
}

Result<> write_whole(const fs::path& path, const Bytes& bytes) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  fs::path temporary = path;
  temporary += ".part";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) {
      fs::remove(temporary, error);
      return fail_public(ErrorCode::Internal, "cannot write " + path.string());
    }
  }
  fs::rename(temporary, path, error);
  if (error) return fail_public(ErrorCode::Internal, "cannot write " + path.string());
  return {};
}

struct Converted {
  std::size_t source_bytes = 0, variant_bytes = 0;
};

class Conversion {
 public:
  Conversion(const ConvertOrder& order, Renderer& renderer, const Clock& clock,
             std::vector<Item> items)
      : order_(order),
        renderer_(renderer),
        clock_(clock),
        items_(std::move(items)),
        progress_(items_.size(), items_.size() == 1 ? "picture" : "pictures", clock, stderr) {}

  ConvertReport run() {
    asio::io_context loop;
    int lanes = std::min<int>(order_.at_once, static_cast<int>(items_.size()));
    for (int i = 0; i < lanes; ++i) asio::co_spawn(loop, lane(), asio::detached);
    loop.run();
    progress_.finish();
    return std::move(report_);
  }

 private:
  // Takes pictures one after the other until none is left.
  Task<> lane() {
    while (next_ < items_.size()) {
      const Item& item = items_[next_++];
      Result<Converted> done = co_await convert_one(item);
      if (done) {
        ++report_.converted;
        report_.source_bytes += done->source_bytes;
        report_.variant_bytes += done->variant_bytes;
      } else {
        ++report_.failed;
        const Error& error = done.error();
        report_.faults.push_back(item.from.string() + ": " +
                                 (error.detail.empty() ? error.message : error.detail));
      }
      if (items_.size() > 1) progress_.advance(!done);
    }
  }

  Task<Result<Converted>> convert_one(const Item& item) {
    CO_TRY(Bytes bytes, read_file(item.from));
    CO_TRY(ImageInfo info, sniff(bytes));
    PlanLimits limits = limits_of(order_.site);
    CO_TRY(Plan planned, plan(item.settled, info, limits));
    Converted sizes{.source_bytes = bytes.size()};
    RenderJob job{.plan = planned,
                  .limits = limits,
                  .source = share(std::move(bytes)),
                  .deadline = Deadline::after(clock_, order_.timeout_ms)};
    CO_TRY(RenderedVariant variant, co_await renderer_.render(std::move(job)));
    CO_TRY(write_whole(item.to, variant.bytes));
    sizes.variant_bytes = variant.bytes.size();
    co_return sizes;
  }

  const ConvertOrder& order_;
  Renderer& renderer_;
  const Clock& clock_;
  std::vector<Item> items_;
  std::size_t next_ = 0;
  Progress progress_;
  ConvertReport report_;
};

}  // namespace

Result<ConvertReport> convert(const ConvertOrder& order, Renderer& renderer, const Clock& clock) {
  TRY(std::vector<Item> items, list_items(order));
  TRY(refuse_collisions(items));
  return Conversion(order, renderer, clock, std::move(items)).run();
}

}  // namespace tintype

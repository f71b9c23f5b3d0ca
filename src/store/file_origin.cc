// SPDX-License-Identifier: Apache-2.0
#include "store/file_origin.h"

#include <utility>

#include "store/folder.h"

namespace tintype {
namespace {

// The work on the pool holds the folder itself, so a replaced origin may go while a read is under
// way.
class FileOrigin final : public Origin {
 public:
  FileOrigin(std::shared_ptr<const Folder> folder, std::int64_t max_bytes,
             asio::thread_pool& blocking, const Clock& clock)
      : folder_(std::move(folder)), max_bytes_(max_bytes), blocking_(blocking), clock_(clock) {}

  // A read that has begun cannot be stopped, only be waited for no longer.
  Task<Result<Source>> fetch(std::string path, Deadline deadline) override {
    auto work = [folder = folder_, path = std::move(path), max = max_bytes_]() -> Result<Source> {
      TRY(Folder::File file, folder->read(path, max));
      return Source{share(std::move(file.bytes)), file.modified_unix_seconds, file.etag};
    };
    auto left = deadline.at - clock_.now();
    auto read = co_await run_on_within(blocking_, left, std::move(work));
    if (!read) co_return fail_private(ErrorCode::Timeout, "the folder did not answer in time");
    co_return std::move(*read);
  }

  Task<Result<std::vector<std::string>>> list(std::size_t limit) override {
    auto work = [folder = folder_, limit] { return folder->list_pictures(limit); };
    co_return co_await run_on(blocking_, std::move(work));
  }

 private:
  std::shared_ptr<const Folder> folder_;
  std::int64_t max_bytes_;
  asio::thread_pool& blocking_;
  const Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<Origin>> open_file_origin(const OriginRule& rule,
                                                 asio::thread_pool& blocking, const Clock& clock) {
  TRY(auto folder, Folder::open(rule.folder));
  return std::make_unique<FileOrigin>(std::move(folder), rule.max_source_bytes, blocking, clock);
}

}  // namespace tintype

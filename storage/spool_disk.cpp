#include "storage/spool_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/unique_fd.hpp"
#include "storage/file_lock.hpp"
#include "storage/posix_error.hpp"

namespace qylon::storage {
namespace {

constexpr std::string_view kSuffix = ".journal";

std::string file_name(std::uint64_t number) {
  char name[32];
  const int length =
      std::snprintf(name, sizeof(name), "%016llx", static_cast<unsigned long long>(number));
  return std::string(name, static_cast<std::size_t>(length)).append(kSuffix);
}

std::optional<std::uint64_t> number_in(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

Result<std::vector<std::uint64_t>> list_segments(const std::string& dir) {
  std::vector<std::uint64_t> numbers;
  std::error_code failure;
  std::filesystem::directory_iterator entry(dir, failure);
  if (failure == std::errc::no_such_file_or_directory) return numbers;
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    if (const auto number = number_in(entry->path().filename().string()))
      numbers.push_back(*number);
  }
  if (failure) return posix_error("read directory", dir, failure.value());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<std::vector<std::uint8_t>> read_segment(const std::string& dir,
                                               std::uint64_t number,
                                               std::size_t offset,
                                               std::size_t bytes_max) {
  const std::string path = dir + "/" + file_name(number);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return posix_error("open", path, errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > kSegmentFileBytesMax)
    return Error{ErrorCode::kUnavailable, path + " is larger than any segment"};
  std::vector<std::uint8_t> bytes(std::min(bytes_max, size - std::min(offset, size)));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t count =
        ::pread(fd.get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(offset + at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return posix_error("read", path, errno);
    if (count == 0) break;  // Shortened meanwhile.
    at += static_cast<std::size_t>(count);
  }
  bytes.resize(at);
  return bytes;
}

class PosixFile final : public SpoolFile {
 public:
  PosixFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  ~PosixFile() override {
    // What was preallocated and not used is given back. Nothing depends on it.
    if (!failed_) [[maybe_unused]]
      const int result = ::ftruncate(fd_.get(), written_);
  }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  PosixFile(PosixFile&&) = delete;
  PosixFile& operator=(PosixFile&&) = delete;

  Status write(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(fd_.get(), bytes.data(), bytes.size(), written_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail("write");
      written_ += count;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return ok();
  }
  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) {
      const Error error = fail("fdatasync");
      // The kernel may show what it never wrote: the next process must not take it for durable.
      [[maybe_unused]] const int result = ::ftruncate(fd_.get(), synced_);
      return error;
    }
    synced_ = written_;
    return ok();
  }

 private:
  Error fail(const char* call) {
    const int number = errno;
    failed_ = true;
    return posix_error(call, path_, number);
  }

  UniqueFd fd_;
  const std::string path_;  // Constant after construction.
  off_t written_ = 0;
  off_t synced_ = 0;
  bool failed_ = false;
};

class PosixDisk final : public SpoolDisk {
 public:
  PosixDisk(std::string path, UniqueFd directory, UniqueFd lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}

  Result<std::vector<std::uint64_t>> list() override { return list_segments(path_); }
  Result<std::vector<std::uint8_t>> read(std::uint64_t number,
                                         std::size_t offset,
                                         std::size_t bytes_max) const override {
    return read_segment(path_, number, offset, bytes_max);
  }
  Result<std::unique_ptr<SpoolFile>> create(std::uint64_t number, std::size_t bytes) override;
  Status sync(std::uint64_t number) override {
    const std::string name = file_name(number);
    const UniqueFd fd(::openat(directory_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return posix_error("open", path_ + "/" + name, errno);
    if (::fdatasync(fd.get()) != 0) return posix_error("fdatasync", path_ + "/" + name, errno);
    return ok();
  }
  Status remove(std::uint64_t number) override {
    if (::unlinkat(directory_.get(), file_name(number).c_str(), 0) == 0 || errno == ENOENT)
      return ok();
    return posix_error("unlink", path_ + "/" + file_name(number), errno);
  }
  Result<DiskSpace> space() override {
    struct statvfs info {};
    if (::fstatvfs(directory_.get(), &info) != 0) return posix_error("statvfs", path_, errno);
    const auto block = static_cast<std::int64_t>(info.f_frsize);
    return DiskSpace{static_cast<std::int64_t>(info.f_bavail) * block,
                     static_cast<std::int64_t>(info.f_blocks) * block};
  }

 private:
  Error discard(std::uint64_t number, const char* call) {
    const int error = errno;
    ::unlinkat(directory_.get(), file_name(number).c_str(), 0);
    return posix_error(call, path_ + "/" + file_name(number), error);
  }

  const std::string path_;  // Constant after construction.
  UniqueFd directory_;
  UniqueFd lock_;
};

Result<std::unique_ptr<SpoolFile>> PosixDisk::create(std::uint64_t number, std::size_t bytes) {
  const std::string name = file_name(number);
  UniqueFd fd(::openat(
      directory_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return posix_error("create", path_ + "/" + name, errno);
  if (const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes)); error != 0) {
    errno = error;
    return discard(number, "posix_fallocate");
  }
  // The size and the name, once; afterwards fdatasync has only data and extents to write.
  if (::fsync(fd.get()) != 0) return discard(number, "fsync");
  if (::fsync(directory_.get()) != 0) return discard(number, "fsync directory of");
  return std::unique_ptr<SpoolFile>(std::make_unique<PosixFile>(std::move(fd), path_ + "/" + name));
}

}  // namespace

Result<std::unique_ptr<SpoolDisk>> open_spool_disk(const std::string& dir) {
  std::error_code failure;
  const bool created = std::filesystem::create_directories(dir, failure);
  if (failure) return posix_error("mkdir", dir, failure.value());
  if (created && ::chmod(dir.c_str(), 0700) != 0) return posix_error("chmod", dir, errno);
  UniqueFd directory(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return posix_error("open", dir, errno);
  auto lock = lock_file(dir + "/lock");
  if (!lock) return lock.error();
  return std::unique_ptr<SpoolDisk>(
      std::make_unique<PosixDisk>(dir, std::move(directory), std::move(*lock)));
}

}  // namespace qylon::storage

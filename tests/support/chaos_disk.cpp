// Preloaded into the server (LD_PRELOAD) by ./dev chaos: while the file that QYLON_CHAOS_EIO names
// exists, fdatasync(2) of the journal's files fails with EIO, as when a disk breaks, and what was
// written since the last sync is gone.
// Source: Rebello et al., "Can applications recover from fsync failures?", USENIX ATC 2020.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using Write = ssize_t (*)(int, const void*, size_t, off_t);
using Sync = int (*)(int);

/// Of a file that is written from its start on.
struct Extent {
  off_t synced = 0;
  off_t written = 0;
};
std::mutex mutex;

Extent& extent_of(int fd) {
  static auto& files = *new std::map<ino_t, Extent>;  // Never destroyed: threads outlive main.
  struct stat info {};
  ::fstat(fd, &info);
  return files[info.st_ino];
}

Write real_write() {
  static const auto real = reinterpret_cast<Write>(::dlsym(RTLD_NEXT, "pwrite"));
  return real;
}

bool is_journal(int fd) {
  std::array<char, 512> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size() - 1);
  return size > 0 && std::strstr(path.data(), "/journal/") != nullptr;
}

bool is_broken() {
  const char* const mark = std::getenv("QYLON_CHAOS_EIO");
  return mark != nullptr && ::access(mark, F_OK) == 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) ssize_t pwrite(int fd,
                                                                 const void* bytes,
                                                                 size_t size,
                                                                 off_t at) {
  if (!is_journal(fd)) return real_write()(fd, bytes, size, at);
  const std::lock_guard lock(mutex);
  const ssize_t count = real_write()(fd, bytes, size, at);
  Extent& extent = extent_of(fd);
  if (at == 0) extent = {};  // A new file, perhaps with the number of one that was removed.
  if (count > 0) extent.written = std::max(extent.written, at + static_cast<off_t>(count));
  return count;
}

extern "C" __attribute__((visibility("default"))) int fdatasync(int fd) {
  static const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "fdatasync"));
  if (!is_journal(fd)) return real(fd);
  const std::lock_guard lock(mutex);
  Extent& extent = extent_of(fd);
  const bool broken = is_broken();
  const int result = broken ? -1 : real(fd);
  if (result == 0) {
    extent.synced = extent.written;
  } else if (extent.written > extent.synced) {
    const std::vector<char> zeros(static_cast<size_t>(extent.written - extent.synced));
    real_write()(fd, zeros.data(), zeros.size(), extent.synced);
  }
  if (broken) errno = EIO;
  return result;
}

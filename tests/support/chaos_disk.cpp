// Preloaded into the server (LD_PRELOAD) by ./dev chaos: while the file that QYLON_CHAOS_EIO names
// exists, fdatasync(2) of the journal's files fails with EIO, as when a disk breaks.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include <dlfcn.h>
#include <unistd.h>

namespace {

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

extern "C" __attribute__((visibility("default"))) int fdatasync(int fd) {
  using Sync = int (*)(int);
  static const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, "fdatasync"));
  if (!is_broken() || !is_journal(fd)) return real(fd);
  errno = EIO;
  return -1;
}

#include "storage/file_lock.hpp"

#include <cerrno>

#include <fcntl.h>

#include "storage/posix_error.hpp"

namespace qylon::storage {

Result<UniqueFd> lock_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return posix_error("open", path, errno);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_SETLK, &lock) == 0) return fd;
  if (errno != EAGAIN && errno != EACCES) return posix_error("lock", path, errno);
  ::fcntl(fd.get(), F_GETLK, &lock);
  return Error{ErrorCode::kConflict,
               path + " is locked by process " + std::to_string(lock.l_pid) +
                   "; one server at a time may use a data directory"};
}

}  // namespace qylon::storage

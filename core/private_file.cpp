#include "core/private_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/unique_fd.hpp"

namespace qylon {
namespace {

Error unavailable(std::string_view what, const std::string& path) {
  return Error{ErrorCode::kUnavailable,
               std::string(what) + " " + path + ": " + std::strerror(errno)};
}

/// A file beside `path` that holds `text`.
Result<std::string> write_draft(const std::string& path, std::string_view text) {
  std::string draft = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(draft.data(), O_CLOEXEC));  // Mode 0600.
  if (!file) return unavailable("cannot write beside", path);
  const bool written =
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0;
  if (written) return draft;
  Error error = unavailable("cannot write", path);
  ::unlink(draft.c_str());
  return error;
}

Status sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return unavailable("cannot sync", directory);
  return ok();
}

}  // namespace

Result<std::optional<std::string>> read_private_file(const std::string& path,
                                                     std::size_t bytes_max) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return unavailable("cannot read", path);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return unavailable("cannot look at", path);
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return Error{ErrorCode::kInvalidArgument, "others can read " + path + "; chmod 600 it"};
  std::string text(bytes_max + 1, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return unavailable("cannot read", path);
  text.resize(static_cast<std::size_t>(got));
  if (text.size() > bytes_max)
    return Error{ErrorCode::kInvalidArgument, path + " is too long for what it should hold"};
  return std::optional<std::string>(std::move(text));
}

Status create_private_file(const std::string& path, std::string_view text) {
  const auto draft = write_draft(path, text);
  if (!draft) return draft.error();
  // link() instead of rename(): it never replaces what a faster process has handed out.
  const bool placed = ::link(draft->c_str(), path.c_str()) == 0 || errno == EEXIST;
  Status status = placed ? ok() : Status(unavailable("cannot write", path));
  ::unlink(draft->c_str());
  return status ? sync_directory_of(path) : status;
}

Status replace_private_file(const std::string& path, std::string_view text) {
  const auto draft = write_draft(path, text);
  if (!draft) return draft.error();
  if (std::rename(draft->c_str(), path.c_str()) == 0) return sync_directory_of(path);
  Error error = unavailable("cannot write", path);
  ::unlink(draft->c_str());
  return error;
}

}  // namespace qylon

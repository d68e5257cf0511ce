#include "api/token_access.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/identity/digest.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

constexpr std::string_view kPrefix = "qyl_";
// 32 bytes are 256 bits, six to a character: 42 full ones and one that carries four bits.
constexpr std::size_t kTokenChars = kPrefix.size() + 43;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  int fd() const noexcept { return fd_; }
  bool open() const noexcept { return fd_ >= 0; }

 private:
  const int fd_;
};

Error unavailable(std::string_view what, const std::string& path) {
  return Error{ErrorCode::kUnavailable,
               std::string(what) + " " + path + ": " + std::strerror(errno)};
}

bool is_token(std::string_view text) {
  return text.size() == kTokenChars && text.starts_with(kPrefix) &&
         text.substr(kPrefix.size()).find_first_not_of(kAlphabet) == std::string_view::npos;
}

/// Reads the token file. Nothing when there is none.
Result<std::optional<std::string>> read_token(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.open() && errno == ENOENT) return std::optional<std::string>();
  if (!file.open()) return unavailable("cannot read the token file", path);
  struct stat facts {};
  if (::fstat(file.fd(), &facts) != 0) return unavailable("cannot look at", path);
  if ((facts.st_mode & 077) != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 "others can read " + path + "; remove it to get a new token, or chmod 600 it"};
  }
  std::array<char, kTokenChars + 2> buffer{};
  const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
  if (got < 0) return unavailable("cannot read the token file", path);
  std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!is_token(text)) {
    return Error{ErrorCode::kInvalidArgument,
                 path + " holds no token (\"qyl_\" and 43 characters); remove it to get a new one"};
  }
  return std::optional<std::string>(text);
}

/// Puts `token` at `path` whole or not at all, unless another process was faster.
Status write_token(const std::string& path, const std::string& token) {
  std::string draft = path + ".XXXXXX";
  const Descriptor file(::mkostemp(draft.data(), O_CLOEXEC));  // Mode 0600.
  if (!file.open()) return unavailable("cannot write beside", path);
  const std::string line = token + "\n";
  const bool written =
      ::write(file.fd(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(file.fd()) == 0;
  // link() instead of rename(): it never replaces the token that a faster process has handed out.
  const bool placed = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  Status status = placed ? ok() : Status(unavailable("cannot write the token file", path));
  ::unlink(draft.c_str());
  return status;
}

}  // namespace

Result<std::string> load_or_create_token(const std::string& data_dir) {
  std::error_code failure;
  if (std::filesystem::create_directories(data_dir, failure)) ::chmod(data_dir.c_str(), 0711);
  if (failure) {
    return Error{ErrorCode::kUnavailable, "cannot make " + data_dir + ": " + failure.message()};
  }
  const std::string path = data_dir + "/token";
  auto found = read_token(path);
  if (!found) return found.error();
  if (*found) return **found;

  const Status written = write_token(path, std::string(kPrefix) + random_token());
  if (!written) return written.error();
  found = read_token(path);  // Ours, or the one of a process that was faster.
  if (!found) return found.error();
  if (!*found) return Error{ErrorCode::kUnavailable, path + " was removed while it was made"};
  return **found;
}

TokenAccess::TokenAccess(const std::string& token, const Options& options)
    : token_digest_(sha256(token)), options_(options) {
  QYLON_CHECK(!token.empty());
}

Result<Principal> TokenAccess::identify(const Credentials& credentials) const {
  if (credentials.token.empty()) {
    if (credentials.peer_is_loopback && !options_.require_token) return Principal::service();
    return Error{
        ErrorCode::kUnauthenticated,
        "this server wants a token: print it with `qylon token --data-dir DIR` and send it "
        "as `Authorization: Bearer TOKEN`, or in the first message's `token`"};
  }
  // Digests of one length are compared, so that the time tells neither length nor prefix.
  const std::string given = sha256(credentials.token);
  if (same_secret(given, token_digest_)) return Principal::service();
  return Error{ErrorCode::kUnauthenticated,
               "the token is not this server's: print it with `qylon token --data-dir DIR`"};
}

}  // namespace qylon::api

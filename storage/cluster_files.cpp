#include "storage/cluster_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "storage/posix_error.hpp"

namespace qylon::storage {
namespace {

constexpr off_t kLogBytesMax = 4 << 20;

UniqueFd open_directory(int parent_fd, const char* name) {
  return UniqueFd(::openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// The file's last `limit` bytes at most; empty when it cannot be read.
std::string read_end(int directory_fd, const char* name, off_t limit) {
  const UniqueFd fd(::openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return {};
  std::string text(static_cast<std::size_t>(std::min(info.st_size, limit)), '\0');
  const ssize_t got =
      ::pread(fd.get(), text.data(), text.size(), info.st_size - static_cast<off_t>(text.size()));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::string_view line_of(std::string_view text, int index) {
  for (; index > 0; --index) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

pid_t parse_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc() && end == text.data() + text.size() && pid > 0 ? pid : 0;
}

/// An operator's shell may stand in the directory too, and is none of our business.
bool is_postgres(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/comm";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 32> name{};
  const ssize_t got = fd ? ::read(fd.get(), name.data(), name.size()) : -1;
  return got > 0 && std::string_view(name.data(), static_cast<std::size_t>(got)) == "postgres\n";
}

void wait_for_end(pid_t pid, std::chrono::milliseconds timeout) {
  const UniqueFd pid_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pid_fd) return;  // Gone already.
  pollfd waiter{pid_fd.get(), POLLIN, 0};
  ::poll(&waiter, 1, static_cast<int>(timeout.count()));
}

/// Creates a directory of mode 0700 that belongs to `user`, or checks that it does.
Status make_directory(const std::string& path, const ClusterUser& user) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return posix_error("mkdir", path, errno);
  const UniqueFd fd = open_directory(AT_FDCWD, path.c_str());
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return posix_error("open", path, errno);
  if (info.st_uid == user.uid) return ok();
  if (!user.drop)
    return Error{ErrorCode::kUnavailable,
                 path + " belongs to user " + std::to_string(info.st_uid) +
                     "; start the server as that user, or as root"};
  if (::fchown(fd.get(), user.uid, user.gid) != 0) return posix_error("chown", path, errno);
  return ok();
}

/// Root runs an existing cluster as whoever created it.
Result<ClusterUser> user_of(const std::string& directory) {
  auto chosen = choose_cluster_user();
  struct stat info {};
  const std::string version = directory + "/" + kClusterName + "/PG_VERSION";
  if (!chosen || !chosen->drop || ::lstat(version.c_str(), &info) != 0) return chosen;
  if (info.st_uid != 0) *chosen = ClusterUser{info.st_uid, info.st_gid, true};
  return chosen;
}

std::string conninfo_value(std::string_view value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

}  // namespace

Result<ClusterFiles> ClusterFiles::open(const std::string& data_dir) {
  std::error_code failure;
  const std::string path = std::filesystem::absolute(data_dir).string() + "/postgres";
  const auto user = user_of(path);
  if (!user) return user.error();
  for (const std::string& directory : {path, path + "/" + kSocketName}) {
    if (const Status made = make_directory(directory, *user); !made) return made.error();
  }
  UniqueFd fd = open_directory(AT_FDCWD, path.c_str());
  if (!fd) return posix_error("open", path, errno);
  return ClusterFiles(path, std::move(fd), *user);
}

std::string ClusterFiles::socket_directory() const {
  constexpr std::size_t kFileName = sizeof("/.s.PGSQL.5432") - 1;
  constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;
  std::string direct = path_ + "/" + kSocketName;
  if (direct.size() + kFileName <= kPathMax) return direct;
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd()) + "/" + kSocketName;
}

std::string ClusterFiles::url(std::string_view role, std::string_view database) const {
  return "host=" + conninfo_value(socket_directory()) + " port=5432 user=" + std::string(role) +
         " dbname=" + std::string(database);
}

bool ClusterFiles::cluster_exists() const {
  const UniqueFd cluster = open_directory(fd(), kClusterName);
  return cluster && ::faccessat(cluster.get(), "PG_VERSION", F_OK, 0) == 0;
}

void ClusterFiles::remove_unfinished() {
  std::error_code ignored;  // initdb complains when something is left.
  std::filesystem::remove_all(path_ + "/" + kNewClusterName, ignored);
}

Status ClusterFiles::adopt_new_cluster() {
  // One call instead of initdb's fsync of every file, which takes seconds on a busy disk.
  if (::syncfs(fd()) != 0) return posix_error("syncfs", path_, errno);
  if (::renameat(fd(), kNewClusterName, fd(), kClusterName) != 0)
    return posix_error("rename", path_ + "/" + kNewClusterName, errno);
  if (::fsync(fd()) != 0) return posix_error("fsync", path_, errno);
  return ok();
}

Status ClusterFiles::write_access_rules() {
  const UniqueFd cluster = open_directory(fd(), kClusterName);
  if (!cluster) return posix_error("open", path_ + "/" + kClusterName, errno);
  const passwd* us = ::getpwuid(::geteuid());
  if (us == nullptr)
    return Error{ErrorCode::kUnavailable,
                 "user id " + std::to_string(::geteuid()) +
                     " has no name in /etc/passwd, which PostgreSQL needs; add one"};
  const std::string name = us->pw_name;
  if (Status written = write_file(cluster.get(),
                                  "pg_hba.conf",
                                  "# Written by qylon at every start.\n"
                                  "local all qylon_owner,qylon_app peer map=qylon\n"
                                  "local replication qylon_owner peer map=qylon\n");  // Backups.
      !written)
    return written;
  return write_file(cluster.get(),
                    "pg_ident.conf",
                    "# Written by qylon at every start.\n"
                    "qylon \"" +
                        name +
                        "\" qylon_owner\n"
                        "qylon \"" +
                        name + "\" qylon_app\n");
}

Status ClusterFiles::write_file(int directory_fd, const char* name, std::string_view text) const {
  ::unlinkat(directory_fd, name, 0);
  const UniqueFd file(
      ::openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return posix_error("create", name, errno);
  if (user_.drop && ::fchown(file.get(), user_.uid, user_.gid) != 0)
    return posix_error("chown", name, errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return posix_error("write", name, errno);
  return ok();
}

Result<UniqueFd> ClusterFiles::open_log() const {
  struct stat info {};
  if (::fstatat(fd(), kLogName, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > kLogBytesMax)
    ::renameat(fd(), kLogName, fd(), "postgres.log.1");
  UniqueFd log(
      ::openat(fd(), kLogName, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!log) return posix_error("open", log_path(), errno);
  return log;
}

std::string ClusterFiles::last_log_line() const {
  std::string text = read_end(fd(), kLogName, 4096);
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  const auto before = text.rfind('\n');
  return before == std::string::npos ? text : text.substr(before + 1);
}

std::optional<ClusterFiles::Postmaster> ClusterFiles::read_postmaster() const {
  const UniqueFd cluster = open_directory(fd(), kClusterName);
  if (!cluster) return std::nullopt;
  // Lines: pid, directory, start time, port, socket, address, shared memory, status.
  // Source: PostgreSQL 15, src/include/utils/pidfile.h.
  const std::string text = read_end(cluster.get(), "postmaster.pid", 4096);
  Postmaster postmaster;
  postmaster.pid = parse_pid(line_of(text, 0));
  if (postmaster.pid == 0) return std::nullopt;
  postmaster.ready = line_of(text, 7).starts_with("ready");
  return postmaster;
}

std::vector<pid_t> ClusterFiles::processes() const {
  std::vector<pid_t> found;
  struct stat cluster {};
  if (::fstatat(fd(), kClusterName, &cluster, AT_SYMLINK_NOFOLLOW) != 0) return found;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return found;
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = parse_pid(entry->d_name);
    struct stat cwd {};
    if (pid == 0 || ::stat(("/proc/" + std::string(entry->d_name) + "/cwd").c_str(), &cwd) != 0)
      continue;
    if (cwd.st_dev == cluster.st_dev && cwd.st_ino == cluster.st_ino && is_postgres(pid))
      found.push_back(pid);
  }
  ::closedir(proc);
  return found;
}

void ClusterFiles::wait_until_none(std::chrono::milliseconds patience) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto left = processes(); !left.empty(); left = processes()) {
    if (std::chrono::steady_clock::now() >= deadline) return;
    wait_for_end(left.front(), std::chrono::milliseconds(100));
  }
}

Status ClusterFiles::clear_leftovers(std::chrono::milliseconds patience) {
  // A postmaster is asked, then made to go; its children follow it by themselves.
  constexpr std::array<int, 3> kSignals{SIGINT, SIGQUIT, SIGKILL};
  for (const int number : kSignals) {
    const auto left = processes();
    if (left.empty()) break;
    const auto postmaster = read_postmaster();
    for (const pid_t pid : left) {
      if ((postmaster && pid == postmaster->pid) || number == SIGKILL) ::kill(pid, number);
    }
    wait_until_none(patience);
  }
  if (!processes().empty())
    return Error{
        ErrorCode::kUnavailable,
        "processes of an earlier PostgreSQL do not end in " + path_ + "; end them by hand"};
  // Nobody works there, so the lock files are stale, whatever process has their number by now. It
  // may be the dead postmaster itself, where process 1 reaps no orphans; PostgreSQL then refuses.
  const UniqueFd cluster = open_directory(fd(), kClusterName);
  if (cluster) ::unlinkat(cluster.get(), "postmaster.pid", 0);
  const UniqueFd socket = open_directory(fd(), kSocketName);
  if (socket) ::unlinkat(socket.get(), ".s.PGSQL.5432.lock", 0);
  return ok();
}

}  // namespace qylon::storage

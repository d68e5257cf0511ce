#include "storage/meeting_keys.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/unique_fd.hpp"
#include "storage/posix_error.hpp"

namespace qylon::storage {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kSuffix = ".key";
constexpr std::string_view kCheckName = "check";  // Opens only with the right master key.
constexpr std::size_t kFileBytesMax = 4096;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Error wrong(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "journal-key-file: " + what};
}

Result<Bytes> read_small_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return posix_error("open", path, errno);
  Bytes bytes(kFileBytesMax);
  const ssize_t count = ::read(fd.get(), bytes.data(), bytes.size());
  if (count < 0) return posix_error("read", path, errno);
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

/// On the disk under its name before this returns, or not there at all.
Status write_small_file(const std::string& dir, const std::string& name, const Bytes& bytes) {
  const std::string path = dir + "/" + name;
  const std::string unfinished = path + ".new";
  const UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return posix_error("create", unfinished, errno);
  const ssize_t count = ::write(fd.get(), bytes.data(), bytes.size());
  if (count != static_cast<ssize_t>(bytes.size())) return posix_error("write", unfinished, errno);
  if (::fsync(fd.get()) != 0) return posix_error("fsync", unfinished, errno);
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return posix_error("rename", path, errno);
  const UniqueFd directory(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return posix_error("fsync", dir, errno);
  return ok();
}

int hex_digit(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Result<SealKey> read_master(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return wrong(posix_error("stat", path, errno).message);
  if ((info.st_mode & S_IRWXO) != 0)
    return wrong(path + " can be reached by every user; chmod 600 it");
  auto text = read_small_file(path);
  if (!text) return wrong(text.error().message);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
    text->pop_back();
  std::array<std::uint8_t, SealKey::kBytes> bytes{};
  bool valid = text->size() == 2 * bytes.size();
  for (std::size_t i = 0; valid && i < bytes.size(); ++i) {
    const int high = hex_digit((*text)[2 * i]);
    const int low = hex_digit((*text)[2 * i + 1]);
    valid = high >= 0 && low >= 0;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!valid) return wrong(path + " must hold 64 hexadecimal digits: openssl rand -hex 32");
  return SealKey(bytes);
}

}  // namespace

Result<std::unique_ptr<MeetingKeys>> MeetingKeys::open(const std::string& dir,
                                                       const std::string& master_path) {
  const std::string check_path = dir + "/" + std::string(kCheckName);
  if (master_path.empty()) {
    if (::access(check_path.c_str(), F_OK) != 0) return std::unique_ptr<MeetingKeys>();
    return wrong("the journal is sealed and cannot be used without the key: " + check_path);
  }
  const auto master = read_master(master_path);
  if (!master) return master.error();
  std::error_code failure;
  std::filesystem::create_directories(dir, failure);
  if (failure) return posix_error("mkdir", dir, failure.value());
  if (::chmod(dir.c_str(), 0700) != 0) return posix_error("chmod", dir, errno);
  std::unique_ptr<MeetingKeys> keys(new MeetingKeys(dir, *master));
  if (const Status checked = keys->check_master(); !checked) return checked.error();
  if (const Status loaded = keys->load(); !loaded) return loaded.error();
  return keys;
}

Status MeetingKeys::check_master() {
  const std::string name(kCheckName);
  auto sealed = read_small_file(dir_ + "/" + name);
  if (sealed) {
    if (master_.open(bytes_of(kCheckName), *sealed)) return ok();
    return wrong("it is not the key that " + dir_ + " was sealed with");
  }
  Bytes empty;
  master_.seal(bytes_of(kCheckName), empty);
  return write_small_file(dir_, name, empty);
}

Status MeetingKeys::load() {
  const MutexLock lock(mutex_);
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(dir_, failure)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    const auto meeting =
        MeetingId::parse(std::string_view(name).substr(0, name.size() - kSuffix.size()));
    auto sealed = read_small_file(entry.path().string());
    if (!sealed) return sealed.error();
    if (!meeting || !master_.open(meeting->value.bytes, *sealed) ||
        sealed->size() != SealKey::kBytes)
      return Error{ErrorCode::kUnavailable, "the key file " + dir_ + "/" + name + " is damaged"};
    keys_[*meeting] = std::make_shared<const SealKey>(std::span(*sealed).first<SealKey::kBytes>());
  }
  return failure ? Status(posix_error("read directory", dir_, failure.value())) : ok();
}

Result<MeetingKeys::Key> MeetingKeys::create(MeetingId meeting) {
  const MutexLock lock(mutex_);
  const auto known = keys_.find(meeting);
  if (known != keys_.end()) return known->second;
  const auto key = std::make_shared<const SealKey>(SealKey::random());
  Bytes sealed(key->bytes().begin(), key->bytes().end());
  master_.seal(meeting.value.bytes, sealed);
  const Status written = write_small_file(dir_, meeting.to_string().append(kSuffix), sealed);
  if (!written) return written.error();
  keys_[meeting] = key;
  return Key(key);
}

MeetingKeys::Key MeetingKeys::find(MeetingId meeting) const {
  const MutexLock lock(mutex_);
  const auto known = keys_.find(meeting);
  return known == keys_.end() ? nullptr : known->second;
}

Status MeetingKeys::forget(MeetingId meeting) {
  const MutexLock lock(mutex_);
  const std::string path = dir_ + "/" + meeting.to_string().append(kSuffix);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return posix_error("unlink", path, errno);
  keys_.erase(meeting);
  return ok();
}

std::vector<MeetingId> MeetingKeys::meetings() const {
  const MutexLock lock(mutex_);
  std::vector<MeetingId> meetings;
  for (const auto& [meeting, key] : keys_)
    meetings.push_back(meeting);
  return meetings;
}

}  // namespace qylon::storage

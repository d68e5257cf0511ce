#include "api/files/file_store.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "api/identity/text_codes.hpp"
#include "core/check.hpp"
#include "core/unique_fd.hpp"

namespace qylon::api {
namespace {

struct DigestEnd {
  void operator()(EVP_MD_CTX* digest) const noexcept { EVP_MD_CTX_free(digest); }
};

Error failed(const char* what) {
  return {ErrorCode::kUnavailable,
          std::string("cannot ") + what + " the file: " + std::strerror(errno)};
}

}  // namespace

std::string FileStore::path(const std::string& blob) const {
  return dir_ + "/" + blob.substr(0, 2) + "/" + blob;
}

Status FileStore::write(const std::string& blob,
                        std::int64_t offset,
                        std::string_view bytes) const {
  const std::string where = path(blob);
  std::error_code failure;
  std::filesystem::create_directories(std::filesystem::path(where).parent_path(), failure);
  if (failure) {
    errno = failure.value();
    return failed("make a directory for");
  }
  const UniqueFd fd(::open(where.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return failed("open");
  if (::ftruncate(fd.get(), offset) != 0) return failed("cut");
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd.get(), bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed("write");
    offset += count;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok();
}

Result<std::string> FileStore::finish(const std::string& blob) const {
  const UniqueFd fd(::open(path(blob).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("open");
  const std::unique_ptr<EVP_MD_CTX, DigestEnd> digest(EVP_MD_CTX_new());
  QYLON_CHECK(digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  std::array<char, 65'536> piece{};
  while (true) {
    const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read");
    if (count == 0) break;
    QYLON_CHECK(EVP_DigestUpdate(digest.get(), piece.data(), static_cast<std::size_t>(count)) == 1);
  }
  if (::fsync(fd.get()) != 0) return failed("sync");
  std::array<unsigned char, 32> sum{};
  QYLON_CHECK(EVP_DigestFinal_ex(digest.get(), sum.data(), nullptr) == 1);
  return hex({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

void FileStore::remove(const std::string& blob) const {
  ::unlink(path(blob).c_str());
}

}  // namespace qylon::api

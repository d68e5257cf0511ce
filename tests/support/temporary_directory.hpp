#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "core/check.hpp"

namespace qylon::test {

/// A new directory of mode 0700, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = (parent / "qylon-test-XXXXXX").string();
    QYLON_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Memory where there is plenty, so that tests with many fsyncs do not wait for a busy disk.
inline std::filesystem::path memory_directory() {
  constexpr std::uintmax_t kPlenty = 1U << 30;
  std::error_code failure;
  const auto space = std::filesystem::space("/dev/shm", failure);
  if (!failure && space.available >= kPlenty) return "/dev/shm";
  return std::filesystem::temp_directory_path();
}

}  // namespace qylon::test

#include "server/tool_files.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace qylon::server {

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, "cannot read " + path.string()};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Status write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return Error{ErrorCode::kUnavailable, "cannot write " + path.string()};
  return ok();
}

Result<std::vector<std::filesystem::path>> files_of(const std::string& path,
                                                    const std::vector<std::string>& extensions) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return std::vector<std::filesystem::path>{path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
    const std::string extension = entry.path().extension();
    if (std::find(extensions.begin(), extensions.end(), extension) != extensions.end()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    return Error{ErrorCode::kNotFound, "no " + extensions.front() + " file in " + path};
  }
  return files;
}

}  // namespace qylon::server

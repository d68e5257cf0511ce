#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::server {

/// The whole of a file. Errors: kNotFound.
Result<std::string> read_file(const std::filesystem::path& path);
/// Writes a new file or over an old one. Errors: kUnavailable.
Status write_file(const std::filesystem::path& path, std::string_view text);

/// `path` itself, or when it is a folder all files in it (and its folders) whose extension is one
/// of `extensions`, sorted. Errors: kNotFound when there is none.
Result<std::vector<std::filesystem::path>> files_of(const std::string& path,
                                                    const std::vector<std::string>& extensions);

}  // namespace qylon::server

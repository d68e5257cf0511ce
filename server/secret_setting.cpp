#include "server/secret_setting.hpp"

#include <fstream>

#include "api/identity/jwks_json.hpp"

namespace qylon::server {

Result<std::string> read_secret_file(const std::string& path, const char* setting) {
  // A key set is the longest; parse_jwks() refuses one that has more than it may.
  constexpr std::size_t kFileBytesMax = api::kJwksBytesMax + 1;
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  if (!text.empty()) return text;
  return Error{ErrorCode::kInvalidArgument, std::string(setting) + ": cannot read " + path};
}

}  // namespace qylon::server

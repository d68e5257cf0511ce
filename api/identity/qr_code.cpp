#include "api/identity/qr_code.hpp"

#include <cstddef>
#include <memory>

#include <qrencode.h>

namespace qylon::api {
namespace {

constexpr int kQuietModules = 4;  // ISO/IEC 18004: nothing on four modules around.

/// The dark modules of row `y`, each run of them one rectangle of an SVG path.
void append_row(std::string& path, const QRcode& code, int y) {
  const unsigned char* const row = code.data + static_cast<std::ptrdiff_t>(y) * code.width;
  const auto is_dark = [row](int x) { return (row[x] & 1U) != 0; };
  for (int x = 0; x < code.width; ++x) {
    if (!is_dark(x)) continue;
    const int first = x;
    while (x < code.width && is_dark(x))
      ++x;
    const std::string run = std::to_string(x - first);
    path += "M" + std::to_string(first + kQuietModules) + " " + std::to_string(y + kQuietModules) +
            "h" + run + "v1h-" + run + "z";
  }
}

}  // namespace

Result<std::string> qr_svg(std::string_view text) {
  const std::string bytes(text);
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeData(static_cast<int>(bytes.size()),
                        reinterpret_cast<const unsigned char*>(bytes.data()),
                        0,
                        QR_ECLEVEL_M),
      QRcode_free);
  if (!code) {
    return Error{ErrorCode::kInvalidArgument, "a QR code takes 1 to 2,331 bytes"};
  }
  const std::string side = std::to_string(code->width + 2 * kQuietModules);
  std::string path;
  for (int y = 0; y < code->width; ++y)
    append_row(path, *code, y);
  return R"(<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256" viewBox="0 0 )" +
         side + " " + side + R"(" shape-rendering="crispEdges"><path fill="white" d="M0 0h)" +
         side + "v" + side + R"(H0z"/><path fill="black" d=")" + path + R"("/></svg>)";
}

}  // namespace qylon::api

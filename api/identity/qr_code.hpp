#pragma once
/// QR codes, for authenticator apps that look at a screen.

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon::api {

/// Input   : bytes; at most 2,331.
/// Output  : an SVG image on white, with the quiet zone, of ASCII without '#' and '%', which
///           auth-js puts into a data: URL as it is. 256 pixels wide.
/// Errors  : kInvalidArgument for a text that is empty or too long for the largest code.
/// Source  : ISO/IEC 18004, byte mode, error correction level M.
Result<std::string> qr_svg(std::string_view text);

}  // namespace qylon::api

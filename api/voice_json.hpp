#pragma once
/// The JSON of the routes about enrolled voices.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon::api {

/// What somebody asks for who enrols a voice.
struct VoiceRequest {
  std::string name;        ///< Empty: the speaker's.
  std::string consent_by;  ///< Who agreed.
  std::string consent_text;
  std::optional<std::string> consent_at;  ///< As sent; PostgreSQL reads it.
  std::optional<std::string> expires_at;
  std::string clip;  ///< Bytes of a WAV file, or empty.
};

/// Reads `{"name":"Ann","consent":{"by":"Ann Norland","text":"voices-2","at":"RFC 3339"},
/// "expires_at":"RFC 3339","clip":"base64"}`. Consent with `by` and `text` must be there; unknown
/// fields are ignored. Errors: kInvalidArgument that names the field and the limit.
Result<VoiceRequest> parse_voice_request(std::string_view body);

}  // namespace qylon::api

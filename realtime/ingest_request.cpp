#include "realtime/ingest_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "media/audio_format.hpp"

namespace qylon::realtime {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kPrefix = "/v1/ingest/";
constexpr std::string_view kNewMeeting = "new";
constexpr std::size_t kTextBytesMax = 200;  // As in a hello.

struct MediaType {
  std::string_view name;
  std::string_view codec;
};
/// audio/mpeg and what is not here are "auto": ffmpeg's icecast:// says audio/mpeg of anything.
constexpr std::array<MediaType, 26> kMediaTypes{{
    {"audio/webm", "webm"},       {"video/webm", "webm"},       {"audio/x-matroska", "webm"},
    {"audio/ogg", "ogg"},         {"application/ogg", "ogg"},   {"video/ogg", "ogg"},
    {"audio/wav", "wav"},         {"audio/x-wav", "wav"},       {"audio/wave", "wav"},
    {"audio/vnd.wave", "wav"},    {"audio/flac", "flac"},       {"audio/x-flac", "flac"},
    {"audio/aac", "adts"},        {"audio/aacp", "adts"},       {"audio/x-aac", "adts"},
    {"audio/mp3", "mp3"},         {"audio/mp4", "mp4"},         {"video/mp4", "mp4"},
    {"audio/x-m4a", "mp4"},       {"audio/basic", "mulaw"},     {"audio/pcmu", "mulaw"},
    {"audio/pcma", "alaw"},       {"audio/g722", "g722"},       {"audio/pcm", "pcm_s16le"},
    {"audio/x-raw", "pcm_s16le"}, {"audio/x-pcm", "pcm_s16le"},
}};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

std::optional<std::string> find(const Query& query, std::string_view name) {
  const auto found =
      std::find_if(query.begin(), query.end(), [name](const auto& q) { return q.first == name; });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

/// `name` of "audio/pcm;rate=16000;channels=1".
std::optional<std::string> media_parameter(std::string_view content_type, std::string_view name) {
  for (std::size_t at = content_type.find(';'); at != std::string_view::npos;
       at = content_type.find(';', at + 1)) {
    const std::string_view part = content_type.substr(at + 1);
    const std::string_view pair = trimmed(part.substr(0, part.find(';')));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || lower_case(pair.substr(0, equals)) != name) continue;
    return std::string(trimmed(pair.substr(equals + 1)));
  }
  return std::nullopt;
}

std::string codec_of(std::string_view content_type) {
  const std::string type = lower_case(trimmed(content_type.substr(0, content_type.find(';'))));
  const auto* const found = std::find_if(
      kMediaTypes.begin(), kMediaTypes.end(), [&](const MediaType& m) { return m.name == type; });
  return std::string(found == kMediaTypes.end() ? "auto" : found->codec);
}

/// `text` as a number of 0..max; nothing for anything else.
std::optional<int> parse_number(std::string_view text, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = !text.empty() && error == std::errc{} && end == text.data() + text.size();
  if (!is_number || value < 0 || value > max) return std::nullopt;
  return value;
}

/// The format that query and Content-Type name, or why it is not taken.
std::variant<media::AudioFormat, HttpRefusal> read_format(const Query& query,
                                                          std::string_view content_type) {
  const std::string codec = find(query, "codec").value_or(codec_of(content_type));
  const auto parameter = [&](std::string_view name) -> std::optional<int> {
    auto text = find(query, name);
    if (!text) text = media_parameter(content_type, name);
    return text ? parse_number(*text, 1'000'000) : 0;
  };
  const auto rate_hz = parameter("rate");
  const auto channels = parameter("channels");
  if (!rate_hz || !channels) return HttpRefusal{400, "rate and channels must be numbers"};
  if (codec == "opus")
    return HttpRefusal{415, "Opus packets need a container here; send ogg or webm"};
  const bool is_pcm = codec == "pcm_s16le" || codec == "pcm_f32le";
  if (is_pcm && *rate_hz == 0) return HttpRefusal{400, "raw PCM needs its rate, as ?rate=16000"};
  const auto format =
      media::make_audio_format(codec, *rate_hz, is_pcm && *channels == 0 ? 1 : *channels);
  if (!format) return HttpRefusal{415, format.error().message};
  return *format;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// RFC 4648 section 4, padding optional; empty for anything else.
std::string decode_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return {};
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>((bits >> held) & 0xFF));
  }
  return out;
}

}  // namespace

bool is_ingest_path(std::string_view path) noexcept {
  return path.starts_with(kPrefix);
}

std::variant<IngestRequest, HttpRefusal> read_ingest_request(const UploadHead& head) {
  const Query& query = head.query;
  IngestRequest request;
  const std::string_view name = std::string_view(head.request.path).substr(kPrefix.size());
  if (name != kNewMeeting) {
    request.meeting = MeetingId::parse(name);
    if (!request.meeting)
      return HttpRefusal{404, "the path is /v1/ingest/ and a meeting's id, or /v1/ingest/new"};
  }
  const auto track = parse_number(find(query, "track").value_or("0"), 65'535);
  if (!track) return HttpRefusal{400, "track must be a number from 0 to 65535"};
  request.track.track = static_cast<TrackId>(*track);
  request.track.label = find(query, "label").value_or("");
  request.track.speaker = find(query, "speaker").value_or("");
  request.title = find(query, "title").value_or("");
  if (request.track.label.size() > kTextBytesMax || request.track.speaker.size() > kTextBytesMax)
    return HttpRefusal{400, "label and speaker may have at most 200 bytes"};
  const auto format = read_format(query, head.content_type);
  if (const auto* refusal = std::get_if<HttpRefusal>(&format)) return *refusal;
  request.track.format = std::get<media::AudioFormat>(format);
  return request;
}

std::string ingest_token(const std::optional<std::string>& authorization) {
  constexpr std::string_view kBasic = "basic ";
  if (!authorization || lower_case(authorization->substr(0, kBasic.size())) != kBasic)
    return std::string(bearer_token(authorization));
  const std::string pair = decode_base64(trimmed(authorization->substr(kBasic.size())));
  const std::size_t colon = pair.find(':');
  return colon == std::string::npos ? std::string() : pair.substr(colon + 1);
}

}  // namespace qylon::realtime

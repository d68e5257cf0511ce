#include "models/http_transcriber.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include <curl/curl.h>

#include "models/pcm16.hpp"
#include "models/speech_budget.hpp"

namespace qylon::models {
namespace {

constexpr std::int64_t kConnectTimeoutMsMax = 5000;
constexpr std::size_t kShownBodyBytesMax = 200;

CURL* new_handle() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURL* handle = curl_easy_init();
  QYLON_CHECK(handle != nullptr);
  return handle;
}

/// Returning less than it got makes curl end the transfer: an answer has no business being larger.
std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* body) noexcept {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > kTranscriptionBytesMax) return 0;
  text.append(bytes, size * count);
  return size * count;
}

int check_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

struct MimeEnd {
  void operator()(curl_mime* mime) const noexcept { curl_mime_free(mime); }
};
struct ListEnd {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Mime = std::unique_ptr<curl_mime, MimeEnd>;
using List = std::unique_ptr<curl_slist, ListEnd>;

void add_field(curl_mime* mime, const char* name, std::string_view value) {
  if (value.empty()) return;
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_name(part, name);
  curl_mime_data(part, value.data(), value.size());
}

void add_file(curl_mime* mime, std::string_view wav) {
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_name(part, "file");
  curl_mime_filename(part, "segment.wav");
  curl_mime_type(part, "audio/wav");
  curl_mime_data(part, wav.data(), wav.size());
}

/// One printable line of what the server said, for people.
std::string shown(std::string_view body) {
  std::string line(body.substr(0, kShownBodyBytesMax));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return line;
}

bool may_succeed_later(long status) {
  return status == 408 || status == 429 || status >= 500;
}

}  // namespace

HttpTranscriber::HttpTranscriber(Options options, const std::atomic<bool>& stop)
    : options_(std::move(options)), stop_(stop), handle_(new_handle()) {}

HttpTranscriber::~HttpTranscriber() {
  curl_easy_cleanup(handle_);
}

Result<Transcription> HttpTranscriber::transcribe(std::span<const std::int16_t> samples,
                                                  std::string_view prompt,
                                                  std::int64_t timeout_ms) {
  auto reply = post(samples, prompt, timeout_ms);
  if (reply && reply->status == 400 && !plain_json_) {
    plain_json_ = true;  // Some models speak json only; then words are spread over the segment.
    reply = post(samples, prompt, timeout_ms);
  }
  if (!reply) return reply.error();
  if (reply->status != 200) {
    return Error{
        may_succeed_later(reply->status) ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
        "the transcription server answered " + std::to_string(reply->status) + ": " +
            shown(reply->body)};
  }
  auto heard = parse_openai(reply->body, samples_to_ms(static_cast<std::int64_t>(samples.size())));
  if (heard) return std::move(*heard);
  return Error{ErrorCode::kInvalidArgument,
               "the transcription server's answer is not a transcription: " + shown(reply->body)};
}

Result<HttpTranscriber::Reply> HttpTranscriber::post(std::span<const std::int16_t> samples,
                                                     std::string_view prompt,
                                                     std::int64_t timeout_ms) {
  curl_easy_reset(handle_);  // Keeps the connection.
  const std::string url = options_.base_url + "/audio/transcriptions";
  const std::string wav = wav_file(samples);
  const Mime form(curl_mime_init(handle_));
  add_file(form.get(), wav);
  add_field(form.get(), "model", options_.model);
  add_field(form.get(), "response_format", plain_json_ ? "json" : "verbose_json");
  if (!plain_json_) add_field(form.get(), "timestamp_granularities[]", "word");
  add_field(form.get(), "language", options_.language);
  add_field(form.get(), "prompt", prompt);
  add_field(form.get(), "temperature", "0");
  List headers(curl_slist_append(nullptr, "Expect:"));  // Costs a round trip for nothing.
  if (!options_.key.empty()) {
    headers.reset(
        curl_slist_append(headers.release(), ("Authorization: Bearer " + options_.key).c_str()));
  }
  Reply reply;
  const auto timeout = static_cast<long>(timeout_ms);
  curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_MIMEPOST, form.get());
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, timeout);
  curl_easy_setopt(handle_,
                   CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(timeout_ms, kConnectTimeoutMsMax)));
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &reply.body);
  curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle_, CURLOPT_XFERINFOFUNCTION, &check_stop);
  curl_easy_setopt(handle_, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&stop_));
  const CURLcode outcome = curl_easy_perform(handle_);
  if (outcome != CURLE_OK) {
    return Error{
        ErrorCode::kUnavailable,
        std::string("no answer from the transcription server: ") + curl_easy_strerror(outcome)};
  }
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &reply.status);
  return reply;
}

}  // namespace qylon::models

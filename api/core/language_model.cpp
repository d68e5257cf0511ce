#include "api/core/language_model.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/json_depth.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;

constexpr int kAnswerDepthMax = 32;
// Anthropic's servers want a number; ten pages are more than anybody here asks for.
constexpr int kAnswerTokensMax = 8192;

bool is_anthropic(const LanguageModel::Options& options) {
  return options.dialect == "anthropic";
}

std::string body_of(const LanguageModel::Options& options, const LanguageModel::Prompt& prompt) {
  Json user{{"role", "user"}, {"content", prompt.input}};
  Json body{{"model", options.model}};
  if (is_anthropic(options)) {
    body["max_tokens"] = kAnswerTokensMax;
    body["system"] = prompt.instructions;
    body["messages"] = Json::array({std::move(user)});
  } else {
    body["messages"] =
        Json::array({{{"role", "system"}, {"content", prompt.instructions}}, std::move(user)});
    body["response_format"] = {{"type", "json_object"}};
  }
  // A recogniser may cut a text inside a character.
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

OutboundRequest request_of(const LanguageModel::Options& options,
                           const LanguageModel::Prompt& prompt) {
  const std::string& key = prompt.key.empty() ? options.key : prompt.key;
  OutboundRequest request{
      .method = "POST",
      .url = options.base_url + (is_anthropic(options) ? "/messages" : "/chat/completions"),
      .headers = {{"Content-Type", "application/json"}},
      .body = body_of(options, prompt),
      .deadline_ms = options.timeout_ms};
  if (is_anthropic(options)) request.headers.emplace_back("anthropic-version", "2023-06-01");
  if (key.empty()) return request;
  if (is_anthropic(options)) {
    request.headers.emplace_back("x-api-key", key);
  } else {
    request.headers.emplace_back("Authorization", "Bearer " + key);
  }
  return request;
}

Error error_of_status(int status) {
  const std::string what = "the language model's server answers " + std::to_string(status);
  if (status == 401 || status == 403) return {ErrorCode::kForbidden, what + ": check its key"};
  const bool is_final = status >= 400 && status < 500 && status != 408 && status != 429;
  return {is_final ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable, what};
}

/// What the model wrote. Throws Json::exception where the answer has another shape.
std::string text_of(const Json& answer, bool anthropic) {
  if (!anthropic) return answer.at("choices").at(0).at("message").at("content").get<std::string>();
  std::string text;
  for (const Json& block : answer.at("content")) {
    if (block.at("type") == "text") text += block.at("text").get<std::string>();
  }
  return text;
}

Result<std::string> read_answer(const OutboundAnswer& answer, bool anthropic) {
  if (answer.status != 200) return error_of_status(answer.status);
  const Error unreadable{ErrorCode::kUnavailable, "the language model's answer cannot be read"};
  if (json_is_deeper_than(answer.body, kAnswerDepthMax)) return unreadable;
  try {
    return text_of(Json::parse(answer.body), anthropic);
  } catch (const Json::exception&) {
    return unreadable;
  }
}

}  // namespace

Result<std::unique_ptr<LanguageModel>> LanguageModel::create(Options options,
                                                             const Clock& clock,
                                                             Counters& counters) {
  const auto wrong = [](const std::string& what) {
    return Error{ErrorCode::kInvalidArgument, what};
  };
  if (options.dialect != "openai" && !is_anthropic(options))
    return wrong("a language model's dialect is openai or anthropic");
  if (options.model.empty()) return wrong("a language model has a name");
  while (options.base_url.ends_with('/'))
    options.base_url.pop_back();
  const auto target = parse_outbound_url(options.base_url);
  if (!target) return target.error();
  return std::unique_ptr<LanguageModel>(
      new LanguageModel(std::move(options), target->authority(), clock, counters));
}

LanguageModel::LanguageModel(Options options,
                             const std::string& authority,
                             const Clock& clock,
                             Counters& counters)
    : options_(std::move(options)),
      clock_(clock),
      seconds_(counters.histogram("ai_processing_duration_seconds",
                                  "From asking a language model to its whole answer.",
                                  {0.1, 0.5, 1, 2, 5, 10, 30})),
      outbound_({.allowed = {authority}}, clock, counters) {}

void LanguageModel::complete(const Prompt& prompt, Done done) {
  const std::int64_t since_us = clock_.monotonic_us();
  outbound_.send(request_of(options_, prompt),
                 [this, since_us, done = std::move(done)](const Result<OutboundAnswer>& answer) {
                   seconds_.observe(static_cast<double>(clock_.monotonic_us() - since_us) * 1e-6);
                   if (!answer) return done({.text = answer.error()});
                   done({.text = read_answer(*answer, is_anthropic(options_)),
                         .retry_after_ms = answer->retry_after_ms});
                 });
}

}  // namespace qylon::api

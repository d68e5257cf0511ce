#include "realtime/http_exchange.hpp"

#include <algorithm>
#include <utility>

namespace qylon::realtime {

HttpExchange::HttpExchange(HttpRequest request,
                           const ResponseOptions& options,
                           std::shared_ptr<NetExecutor> executor,
                           std::function<void()> on_answer)
    : request_(std::move(request)),
      options_(options),
      executor_(std::move(executor)),
      on_answer_(std::move(on_answer)) {}

void HttpExchange::expect_body(const BodyPlan& plan, std::size_t bytes_max) {
  body_expected_ = plan.chunked || plan.length > 0;
  body_left_ = plan.length;
  if (plan.chunked) chunks_.emplace(bytes_max);
  // libwebsockets does not know where such a body ends, so nothing may follow it.
  if (plan.chunked || plan.unframed) options_.keep_alive = false;
}

HttpExchange::Body HttpExchange::on_body(std::string_view bytes) {
  if (dispatched_ || answered()) return Body::kMore;
  if (!chunks_) {
    const std::string_view wanted = bytes.substr(0, std::min(body_left_, bytes.size()));
    request_.body.append(wanted);
    body_left_ -= wanted.size();
    return body_left_ == 0 ? Body::kWhole : Body::kMore;
  }
  switch (chunks_->feed(bytes, request_.body)) {
    case ChunkDecoder::State::kMore:
      return Body::kMore;
    case ChunkDecoder::State::kDone:
      return Body::kLastChunk;
    case ChunkDecoder::State::kBad:
      refuse(400, "the chunked body is malformed");
      break;
    case ChunkDecoder::State::kTooLong:
      refuse(413, "the body is too long");
      break;
  }
  return Body::kRefused;
}

void HttpExchange::dispatch(HttpHandler& handler) {
  if (dispatched_) return;
  dispatched_ = true;
  in_handler_ = true;
  handler.handle(std::move(request_),
                 [weak = weak_from_this(),
                  executor = executor_,
                  owner = std::this_thread::get_id()](HttpResponse response) {
                   if (std::this_thread::get_id() == owner) {
                     if (const auto self = weak.lock()) self->answer(std::move(response));
                     return;
                   }
                   executor->post([weak, response = std::move(response)]() mutable {
                     if (const auto self = weak.lock()) self->answer(std::move(response));
                   });
                 });
  in_handler_ = false;
}

void HttpExchange::answer(HttpResponse response) {
  if (answered()) return;
  dispatched_ = true;
  stream_ = std::make_unique<ResponseStream>(std::move(response), options_);
  if (!in_handler_) on_answer_();
}

void HttpExchange::refuse(int status, std::string_view detail) {
  options_.keep_alive = false;
  answer(make_problem(status, detail));
}

}  // namespace qylon::realtime

#include "realtime/http_exchange.hpp"

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
  if (plan.chunked || plan.length > 0) body_.emplace(plan, bytes_max);
  // libwebsockets does not know where such a body ends, so nothing may follow it.
  if (plan.chunked || plan.unframed) close_afterwards();
}

HttpExchange::Body HttpExchange::on_body(std::string_view bytes) {
  if (dispatched_ || answered() || !body_) return Body::kMore;
  switch (body_->feed(bytes, request_.body)) {
    case BodyDecoder::State::kMore:
      return Body::kMore;
    case BodyDecoder::State::kDone:
      return body_->is_chunked() ? Body::kLastChunk : Body::kWhole;
    case BodyDecoder::State::kBad:
      refuse(400, "the chunked body is malformed");
      break;
    case BodyDecoder::State::kTooLong:
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
  close_afterwards();
  answer(make_problem(status, detail));
}

}  // namespace qylon::realtime

#pragma once

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/platform_calls.hpp"

namespace qylon::test {

/// Requests whose bodies and answers are JSON.
class JsonCalls : public PlatformCalls {
 public:
  using Json = nlohmann::json;
  using PlatformCalls::PlatformCalls;

  HttpResponse send(const From& from,
                    const std::string& method,
                    const std::string& target,
                    const Json& body = {}) {
    return PlatformCalls::send(from, method, target, body.is_null() ? "" : body.dump());
  }
  /// The answer's body; it must have this status.
  Json ask(int status,
           const From& from,
           const std::string& method,
           const std::string& target,
           const Json& body = {}) {
    const HttpResponse response = send(from, method, target, body);
    EXPECT_EQ(response.status, status) << method << ' ' << target << ": " << response.body;
    return response.body.empty() ? Json() : Json::parse(response.body, nullptr, false);
  }
};

}  // namespace qylon::test

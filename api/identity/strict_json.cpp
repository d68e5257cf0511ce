#include "api/identity/strict_json.hpp"

#include <set>
#include <string>
#include <vector>

#include "core/json_depth.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

Error invalid(const char* message) {
  return {ErrorCode::kInvalidArgument, message};
}

/// Watches a document go by: names that come twice in one object, and NULs.
class Watch {
 public:
  bool operator()(int, Json::parse_event_t event, const Json& value) {
    if (event == Json::parse_event_t::object_start) names_.emplace_back();
    if (event == Json::parse_event_t::object_end) names_.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& name = value.get_ref<const std::string&>();
      twice_ = twice_ || !names_.back().insert(name).second;
      nul_ = nul_ || name.find('\0') != name.npos;
    }
    if (event == Json::parse_event_t::value && value.is_string()) {
      nul_ = nul_ || value.get_ref<const std::string&>().find('\0') != std::string::npos;
    }
    return true;
  }
  bool twice() const noexcept { return twice_; }
  bool nul() const noexcept { return nul_; }

 private:
  std::vector<std::set<std::string>> names_;
  bool twice_ = false;
  bool nul_ = false;
};

}  // namespace

Result<Json> parse_strict_object(std::string_view text, int depth_max) {
  if (!is_utf8(text)) return invalid("it is not UTF-8");
  if (json_is_deeper_than(text, depth_max)) return invalid("it nests too deep");
  Watch watch;
  const auto look = [&watch](int depth, Json::parse_event_t event, Json& value) {
    return watch(depth, event, value);
  };
  Json document = Json::parse(text, look, false);
  if (document.is_discarded()) return invalid("it is not JSON (RFC 8259)");
  if (!document.is_object()) return invalid("it is not an object");
  if (watch.twice()) return invalid("a member appears twice");
  if (watch.nul()) return invalid("it holds U+0000");
  return document;
}

}  // namespace qylon::api

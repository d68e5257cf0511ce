#include "api/core/route_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hpp"

namespace qylon::api {
namespace {

/// Cuts the first segment off `path`, which begins with '/'.
std::string_view take_segment(std::string_view& path) noexcept {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::string allowed_methods(const std::vector<const Route*>& routes) {
  std::string allow;
  for (const Route* route : routes) {
    allow += (allow.empty() ? "" : ", ") + route->method;
    if (route->method == "GET") allow += ", HEAD";
  }
  return allow + ", OPTIONS";
}

}  // namespace

std::string_view permission_name(Permission permission) noexcept {
  constexpr std::array<std::string_view, 7> kNames{
      "open", "anyone", "user", "read", "write", "manage", "service"};
  return kNames[static_cast<std::size_t>(permission)];
}

struct RouteTable::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> written;
  std::unique_ptr<Node> any;   // "{name}"
  std::unique_ptr<Node> rest;  // "{name...}"
  std::vector<const Route*> routes;

  Node& child(std::string_view segment) {
    std::unique_ptr<Node>& place = segment.ends_with("...}")  ? rest
                                   : segment.starts_with('{') ? any
                                                              : written[std::string(segment)];
    if (place == nullptr) place = std::make_unique<Node>();
    return *place;
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}

RouteTable::~RouteTable() = default;

void RouteTable::add(std::vector<Route> routes) {
  for (Route& route : routes)
    add(std::move(route));
}

void RouteTable::add(Route route) {
  QYLON_CHECK(route.pattern.starts_with('/') && route.handler != nullptr);
  const Route& kept = routes_.emplace_back(std::move(route));
  Node* node = root_.get();
  for (std::string_view left = kept.pattern; !left.empty();)
    node = &node->child(take_segment(left));
  QYLON_CHECK(std::none_of(node->routes.begin(), node->routes.end(), [&kept](const Route* other) {
    return other->method == kept.method;
  }));
  node->routes.push_back(&kept);
}

const RouteTable::Node* RouteTable::find_node(const Node& node,
                                              std::string_view path,
                                              std::vector<std::string>& captures) {
  if (path.empty() && !node.routes.empty()) return &node;
  const std::size_t captured = captures.size();
  if (path.starts_with('/')) {
    std::string_view left = path;
    const std::string_view segment = take_segment(left);
    const auto written = node.written.find(segment);
    if (written != node.written.end()) {
      if (const Node* found = find_node(*written->second, left, captures)) return found;
    }
    if (node.any != nullptr && !segment.empty()) {
      captures.emplace_back(segment);
      if (const Node* found = find_node(*node.any, left, captures)) return found;
      captures.resize(captured);
    }
  }
  if (node.rest == nullptr) return nullptr;
  captures.emplace_back(path.substr(path.empty() ? 0 : 1));
  return node.rest.get();
}

RouteTable::Match RouteTable::find(std::string_view method, std::string_view path) const {
  Match match;
  const Node* const node = find_node(*root_, path, match.captures);
  if (node == nullptr) return match;
  for (const Route* route : node->routes) {
    if (route->method == method) match.route = route;
  }
  if (match.route == nullptr) match.allow = allowed_methods(node->routes);
  return match;
}

}  // namespace qylon::api

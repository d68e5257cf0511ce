#pragma once
/// Every route of the platform, and how a request finds its own.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/call.hpp"

namespace qylon::api {

/// Who may call a route at all; row-level security decides what they see there.
enum class Permission : std::uint8_t {
  kOpen,     ///< Nobody is asked: it holds nothing of anybody.
  kAnyone,   ///< Who shows credentials is identified, who shows none is "anon".
  kUser,     ///< Not "anon".
  kRead,     ///< As kUser, and this and the next two must be among an API key's scopes.
  kWrite,    ///< As kUser; also app.can('write').
  kManage,   ///< As kUser; also app.can('manage').
  kService,  ///< The server's own token only.
};
/// "open", "anyone", "user", "read", "write", "manage" or "service".
std::string_view permission_name(Permission permission) noexcept;

struct Route {
  std::string method;
  /// "/api/meetings/{id}": a segment in braces takes any text but none; a last one "{name...}"
  /// takes the rest of the path, also none and slashes.
  std::string pattern;
  Permission permission = Permission::kService;
  RouteHandler handler;
  /// The answer holds a secret: it is never kept, not even for its Idempotency-Key.
  bool secret = false;
};

/// A tree of path segments. A segment written out wins over one in braces, and that over the rest.
///
/// Cost    : find() is a walk of the path, whatever the number of routes.
/// Threads : filled by one thread; then any number may find().
class RouteTable {
 public:
  struct Match {
    const Route* route = nullptr;       ///< Null when there is none for the method.
    std::vector<std::string> captures;  ///< Of the path.
    std::string allow;  ///< Without a route, the methods of the path; empty: there is no path.
  };

  RouteTable();
  ~RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;
  RouteTable(RouteTable&&) = delete;
  RouteTable& operator=(RouteTable&&) = delete;

  /// REQUIRES: every pattern begins with '/', and no two routes share method and pattern.
  void add(std::vector<Route> routes);
  Match find(std::string_view method, std::string_view path) const;
  /// In the order in which they came; addresses stay.
  const std::deque<Route>& routes() const noexcept { return routes_; }

 private:
  struct Node;
  void add(Route route);
  static const Node* find_node(const Node& node,
                               std::string_view path,
                               std::vector<std::string>& captures);

  std::deque<Route> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace qylon::api

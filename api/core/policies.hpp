#pragma once
/// Row-level security of a declared entity: the scope says whose rows, the role says which verbs.

#include <string>
#include <vector>

#include "api/core/entity.hpp"

namespace qylon::api {

struct Policy {
  std::string name;
  std::string verb;  ///< "select", ..., "all".
  std::vector<std::string> roles;
  std::string rows;      ///< Of rows that are there; empty: not asked.
  std::string new_rows;  ///< Of rows that are written; empty: not asked.
};

/// Functions are called as `(select f())`, once a statement instead of once a row.
std::vector<Policy> policies(const Entity& entity);

}  // namespace qylon::api

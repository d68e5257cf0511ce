#pragma once
/// A domain is one file of five blocks: entities, routes, events, jobs, handlers.

#include <string>
#include <vector>

#include "api/core/entity.hpp"

namespace qylon::api {

struct Domain {
  std::string name;
  std::vector<Entity> entities;
};

}  // namespace qylon::api

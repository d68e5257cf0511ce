#pragma once

#include <span>
#include <string>

#include "api/core/domain.hpp"

namespace qylon::api {

/// A TypeScript module with the types of every declared entity, and a client of its routes over
/// fetch. It needs no package and compiles under `strict`.
std::string typescript_client(std::span<const Domain> domains);

}  // namespace qylon::api

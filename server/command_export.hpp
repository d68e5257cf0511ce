#pragma once

#include <string>
#include <vector>

namespace qylon::server {

/// `qylon export`: fetches a meeting's transcript. See command_uplink.hpp for the convention.
int run_export(const std::vector<std::string>& words);

}  // namespace qylon::server

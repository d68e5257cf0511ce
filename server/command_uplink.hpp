#pragma once

#include <string>
#include <vector>

namespace qylon::server {

/// `qylon uplink`: streams a file, the microphone or the desktop's sound into a meeting.
/// `words` are those after "uplink". Returns the process's exit status; `qylon uplink --help`
/// lists them.
int run_uplink(const std::vector<std::string>& words);

}  // namespace qylon::server

#pragma once

#include "core/result.hpp"

namespace qylon::media {

/// Loads the GStreamer plugins that reading streams needs, and no others: there is no registry and
/// no search path, so nothing else exists in this process. Call it once, before any source.
/// Errors: kUnavailable naming what is missing. Codecs whose plugin is not there are refused later.
Status load_stream_plugins();

}  // namespace qylon::media

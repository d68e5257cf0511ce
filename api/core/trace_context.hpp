#pragma once

#include <string>
#include <string_view>

namespace qylon::api {

/// The `traceparent` of a request that we answer: the trace of `received` goes on under a span of
/// our own, or a new trace begins when `received` is none of version 00 to fe. What was sampled
/// stays sampled; a trace that begins here is.
///
/// Output  : "00-{trace, 32 hex}-{span, 16 hex}-{flags, 2 hex}".
/// Threads : any.
/// Source  : W3C Trace Context (2021-11-23), sections 3.2 and 4.3.
std::string continue_trace(std::string_view received);

}  // namespace qylon::api

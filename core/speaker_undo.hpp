#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"

namespace qylon {

/// What takes a correction back.
///
/// Input  : a meeting's finals as they were published, by offset, and the offset of the correction;
///          `given` are the names that tracks came with, by key.
/// Output : corrections (manual) after which every caption that the correction changed, and that no
///          later one changed again, has the speaker it had before; or the name that was before.
/// Errors : kNotFound when there is no correction with this offset.
Result<std::vector<SpeakerChange>> undo_of(std::span<const Caption> published,
                                           std::uint64_t offset,
                                           std::span<const Speaker> given);

}  // namespace qylon

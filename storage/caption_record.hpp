#pragma once
/// A final caption, or a correction of speakers, as the journal keeps it.

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"
#include "storage/journal_record.hpp"

namespace qylon::storage {

/// Compact binary: version (1 caption, 2 correction), fixed fields little-endian, strings with a
/// 32-bit length, words. REQUIRES: the caption has an offset. The result may exceed
/// kRecordPayloadBytesMax for a caption of thousands of words; the journal then refuses it.
Record make_caption_record(const Caption& caption);

/// Errors: kInvalidArgument when type, version, lengths or ranges are wrong. Never trusts a count
/// further than the bytes that are there.
Result<Caption> parse_caption_record(const Record& record);

/// The payload of a correction's record alone, as PostgreSQL keeps it too.
std::vector<std::uint8_t> encode_speaker_change(const SpeakerChange& change);
/// Errors: as for parse_caption_record().
Result<SpeakerChange> parse_speaker_change(std::span<const std::uint8_t> bytes);

}  // namespace qylon::storage

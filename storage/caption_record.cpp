#include "storage/caption_record.hpp"

#include <utility>

#include "core/check.hpp"
#include "storage/bytes.hpp"

namespace qylon::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kChangeVersion = 2;
// An empty text's length and three numbers: what a word takes at least.
constexpr std::size_t kWordBytesMin = 4 + 8 + 8 + 4;

void write_speaker(ByteWriter& writer, const Speaker& speaker) {
  writer.text(speaker.key);
  writer.text(speaker.name);
  writer.number(static_cast<std::uint8_t>(speaker.provenance));
  writer.number(speaker.confidence);
}

bool read_speaker(ByteReader& reader, Speaker& speaker) {
  speaker.key = reader.text();
  speaker.name = reader.text();
  const auto provenance = reader.number<std::uint8_t>();
  if (provenance > static_cast<std::uint8_t>(Provenance::kManual)) return false;
  speaker.provenance = static_cast<Provenance>(provenance);
  speaker.confidence = reader.number<float>();
  return true;
}

void write_word(ByteWriter& writer, const Word& word) {
  writer.text(word.text);
  writer.number(word.start_ms);
  writer.number(word.end_ms);
  writer.number(word.confidence);
}

Word read_word(ByteReader& reader) {
  Word word;
  word.text = reader.text();
  word.start_ms = reader.number<std::int64_t>();
  word.end_ms = reader.number<std::int64_t>();
  word.confidence = reader.number<float>();
  return word;
}

Error malformed(const char* what) {
  return {ErrorCode::kInvalidArgument, std::string("caption record: ") + what};
}

/// A correction's record; the payload has the version already.
Result<Caption> parse_change_record(const Record& record) {
  auto change = parse_speaker_change(record.payload);
  if (!change) return change.error();
  Caption caption;
  caption.meeting = record.meeting;
  caption.offset = record.seq;
  caption.change = std::make_shared<const SpeakerChange>(*std::move(change));
  return caption;
}

}  // namespace

std::vector<std::uint8_t> encode_speaker_change(const SpeakerChange& change) {
  std::vector<std::uint8_t> bytes;
  ByteWriter writer(bytes);
  writer.number(kChangeVersion);
  writer.number(static_cast<std::uint8_t>(change.kind));
  write_speaker(writer, change.speaker);
  writer.text(change.from);
  writer.number(static_cast<std::uint32_t>(change.captions.size()));
  for (const std::uint64_t offset : change.captions)
    writer.number(offset);
  return bytes;
}

Result<SpeakerChange> parse_speaker_change(std::span<const std::uint8_t> bytes) {
  ByteReader reader(bytes);
  if (reader.number<std::uint8_t>() != kChangeVersion) return malformed("unknown version");
  SpeakerChange change;
  const auto kind = reader.number<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(SpeakerChange::Kind::kRename)) return malformed("kind");
  change.kind = static_cast<SpeakerChange::Kind>(kind);
  if (!read_speaker(reader, change.speaker)) return malformed("unknown provenance");
  change.from = reader.text();
  const auto count = reader.number<std::uint32_t>();
  if (reader.failed() || count > SpeakerChange::kCaptionsMax) return malformed("cut short");
  for (std::uint32_t i = 0; i < count; ++i)
    change.captions.push_back(reader.number<std::uint64_t>());
  if (reader.failed()) return malformed("cut short");
  if (reader.left() != 0) return malformed("bytes left over");
  return change;
}

Record make_caption_record(const Caption& caption) {
  QYLON_CHECK(caption.offset.has_value());
  Record record;
  record.type = RecordType::kCaption;
  record.meeting = caption.meeting;
  record.track = caption.track;
  record.seq = *caption.offset;
  record.position = caption.start_ms;
  if (caption.change) {
    record.payload = encode_speaker_change(*caption.change);
    return record;
  }
  ByteWriter writer(record.payload);
  writer.number(kVersion);
  writer.number(caption.segment);
  writer.number(caption.revision);
  writer.number(caption.end_ms);
  writer.number(caption.confidence);
  write_speaker(writer, caption.speaker);
  writer.text(caption.text);
  writer.text(caption.language);
  writer.text(caption.engine);
  writer.number(static_cast<std::uint32_t>(caption.words.size()));
  for (const Word& word : caption.words)
    write_word(writer, word);
  return record;
}

Result<Caption> parse_caption_record(const Record& record) {
  if (record.type != RecordType::kCaption) return malformed("not a caption");
  if (record.seq == 0) return malformed("offset 0; offsets begin with 1");
  if (!record.payload.empty() && record.payload[0] == kChangeVersion) {
    return parse_change_record(record);
  }
  ByteReader reader(record.payload);
  if (reader.number<std::uint8_t>() != kVersion) return malformed("unknown version");
  Caption caption;
  caption.meeting = record.meeting;
  caption.track = record.track;
  caption.offset = record.seq;
  caption.start_ms = record.position;
  caption.segment = reader.number<std::uint64_t>();
  caption.revision = reader.number<std::uint32_t>();
  caption.end_ms = reader.number<std::int64_t>();
  caption.confidence = reader.number<float>();
  if (!read_speaker(reader, caption.speaker)) return malformed("unknown provenance");
  caption.text = reader.text();
  caption.language = reader.text();
  caption.engine = reader.text();
  const auto words = reader.number<std::uint32_t>();
  if (reader.failed() || words > reader.left() / kWordBytesMin) return malformed("cut short");
  caption.words.reserve(words);
  for (std::uint32_t i = 0; i < words; ++i)
    caption.words.push_back(read_word(reader));
  if (reader.failed()) return malformed("cut short");
  if (reader.left() != 0) return malformed("bytes left over");
  return caption;
}

}  // namespace qylon::storage

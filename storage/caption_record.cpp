#include "storage/caption_record.hpp"

#include <utility>

#include "core/check.hpp"
#include "storage/bytes.hpp"

namespace qylon::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
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

}  // namespace

Record make_caption_record(const Caption& caption) {
  QYLON_CHECK(caption.offset.has_value());
  Record record;
  record.type = RecordType::kCaption;
  record.meeting = caption.meeting;
  record.track = caption.track;
  record.seq = *caption.offset;
  record.position = caption.start_ms;
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

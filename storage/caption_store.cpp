/// The caption half of storage/meeting_store.hpp.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <pqxx/pqxx>

#include "storage/caption_record.hpp"
#include "storage/meeting_store.hpp"
#include "storage/provenance.hpp"
#include "storage/query_times.hpp"
#include "storage/speaker_store.hpp"
#include "storage/sql_array.hpp"
#include "storage/word_list.hpp"

namespace qylon::storage {
namespace {

struct UtteranceColumns {
  std::array<SqlArray, 14> columns;

  void add(const Caption& caption) {
    columns[0].add(caption.meeting.to_string());
    columns[1].add(static_cast<std::int64_t>(*caption.offset));
    columns[2].add(static_cast<std::int64_t>(caption.segment));
    columns[3].add(static_cast<std::int32_t>(caption.revision));
    columns[4].add(int{caption.track});
    columns[5].add(caption.start_ms);
    columns[6].add(caption.end_ms);
    columns[7].add(caption.speaker.key);
    columns[8].add(unit_interval(caption.speaker.confidence));
    columns[9].add(caption.text);
    columns[10].add(unit_interval(caption.confidence));
    columns[11].add(caption.language);
    columns[12].add(caption.engine);
    columns[13].add(encode_words(caption.words));
  }
};

void upsert_speakers(pqxx::transaction_base& transaction, std::span<const CaptionPtr> captions) {
  // One statement may touch a row once: the last caption of each speaker speaks for them all.
  std::map<std::pair<MeetingId, std::string_view>, const Speaker*> speakers;
  for (const CaptionPtr& caption : captions) {
    if (!caption->speaker.key.empty())
      speakers[{caption->meeting, caption->speaker.key}] = &caption->speaker;
  }
  if (speakers.empty()) return;
  std::array<SqlArray, 4> columns;
  for (const auto& [id, speaker] : speakers) {
    columns[0].add(id.first.to_string());
    columns[1].add(speaker->key);
    columns[2].add(speaker->name);
    columns[3].add(provenance_name(speaker->provenance));
  }
  // A name that a person gave stays; the write is skipped when it would change nothing.
  run_timed(transaction,
            "insert into speakers (meeting, key, name, provenance)"
            " select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])"
            " on conflict (meeting, key) do update"
            " set name = excluded.name, provenance = excluded.provenance"
            " where speakers.provenance <> 'manual' and excluded.name <> ''"
            " and (speakers.name, speakers.provenance) <> (excluded.name, excluded.provenance)",
            columns[0].str(),
            columns[1].str(),
            columns[2].str(),
            columns[3].str());
}

void insert_utterances(pqxx::transaction_base& transaction, std::span<const CaptionPtr> captions) {
  UtteranceColumns utterances;
  for (const CaptionPtr& caption : captions) {
    if (!caption->change) utterances.add(*caption);
  }
  const auto& u = utterances.columns;
  // A retry inserts nothing. Of a meeting that does not exist the table's own trigger complains.
  run_timed(
      transaction,
      "insert into utterances (meeting, caption_offset, segment, revision, track, start_ms,"
      "  end_ms, speaker_key, speaker_confidence, text, confidence, language, engine, words,"
      "  org_id)"
      " select u.*, m.org_id from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[],"
      "  $5::integer[], $6::bigint[], $7::bigint[], $8::text[], $9::real[], $10::text[],"
      "  $11::real[], $12::text[], $13::text[], $14::jsonb[]) u (meeting)"
      " left join meetings m on m.id = u.meeting on conflict do nothing",
      u[0].str(),
      u[1].str(),
      u[2].str(),
      u[3].str(),
      u[4].str(),
      u[5].str(),
      u[6].str(),
      u[7].str(),
      u[8].str(),
      u[9].str(),
      u[10].str(),
      u[11].str(),
      u[12].str(),
      u[13].str());
}

Caption read_caption(const pqxx::row& row, MeetingId meeting) {
  Caption caption;
  caption.meeting = meeting;
  caption.offset = row[0].as<std::uint64_t>();
  caption.segment = row[1].as<std::uint64_t>();
  caption.revision = row[2].as<std::uint32_t>();
  caption.track = static_cast<TrackId>(row[3].as<int>());
  caption.start_ms = row[4].as<std::int64_t>();
  caption.end_ms = row[5].as<std::int64_t>();
  caption.speaker.key = row[6].as<std::string>();
  caption.speaker.confidence = row[7].as<float>();
  caption.text = row[8].as<std::string>();
  caption.confidence = row[9].as<float>();
  caption.language = row[10].as<std::string>();
  caption.engine = row[11].as<std::string>();
  caption.speaker.name = row[12].as<std::string>();
  caption.speaker.provenance = read_provenance(row[13].c_str());
  if (row[14].is_null()) return caption;
  const pqxx::binarystring bytes(row[14]);
  auto change = parse_speaker_change({bytes.data(), bytes.size()});
  // A newer server's correction is passed over: a renaming of nobody.
  caption.change = std::make_shared<const SpeakerChange>(
      change ? *std::move(change) : SpeakerChange{SpeakerChange::Kind::kRename, {}, {}, {}});
  return caption;
}

/// REQUIRES: `captions` rise in offset, as the rows of words do.
void read_words(const pqxx::result& rows, std::vector<Caption>& captions) {
  auto caption = captions.begin();
  for (const auto& row : rows) {
    const auto offset = row[0].as<std::uint64_t>();
    while (caption != captions.end() && *caption->offset < offset)
      ++caption;
    if (caption == captions.end()) return;
    caption->words.push_back({row[1].as<std::string>(),
                              row[2].as<std::int64_t>(),
                              row[3].as<std::int64_t>(),
                              row[4].as<float>()});
  }
}

// The same columns: the sequence as it was published, and what holds now, without corrections.
constexpr const char* kPublishedCaptions =
    "select caption_offset, segment, revision, track, start_ms, end_ms, speaker_key,"
    " speaker_confidence, text, confidence, language, engine, coalesce(name, ''),"
    " coalesce(provenance, 'cluster'), change"
    " from utterances u left join speakers s on s.meeting = u.meeting and s.key = u.speaker_key"
    " where u.meeting = $1 and caption_offset > $2 order by caption_offset limit $3";
constexpr const char* kRevisedCaptions =
    "select caption_offset, segment, revision, track, start_ms, end_ms,"
    " coalesce(label_key, speaker_key), coalesce(label_confidence, speaker_confidence), text,"
    " confidence, language, engine, coalesce(name, ''),"
    " coalesce(label_provenance, provenance, 'cluster'), null::bytea"
    " from utterances u left join speakers s"
    " on s.meeting = u.meeting and s.key = coalesce(label_key, speaker_key)"
    " where u.meeting = $1 and caption_offset > $2 and change is null"
    " order by caption_offset limit $3";

// The release before wrote a row a word.
constexpr const char* kWords =
    "select caption_offset, w.word ->> 0, w.word ->> 1, w.word ->> 2, w.word ->> 3, w.position"
    " from utterances, jsonb_array_elements(words) with ordinality w (word, position)"
    " where meeting = $1 and caption_offset between $2 and $3"
    " union all select caption_offset, text, start_ms::text, end_ms::text, confidence::text,"
    " position from words where meeting = $1 and caption_offset between $2 and $3"
    " order by caption_offset, position";

/// `query`: kPublishedCaptions or kRevisedCaptions.
std::vector<Caption> select_captions(pqxx::transaction_base& transaction,
                                     const char* query,
                                     MeetingId meeting,
                                     std::uint64_t after_offset,
                                     std::size_t limit) {
  constexpr auto kOffsetMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::vector<Caption> captions;
  const auto rows = run_timed(transaction,
                              query,
                              meeting.to_string(),
                              static_cast<std::int64_t>(std::min(after_offset, kOffsetMax)),
                              static_cast<std::int64_t>(limit));
  for (const auto& row : rows)
    captions.push_back(read_caption(row, meeting));
  if (captions.empty()) return captions;
  read_words(run_timed(transaction,
                       kWords,
                       meeting.to_string(),
                       static_cast<std::int64_t>(*captions.front().offset),
                       static_cast<std::int64_t>(*captions.back().offset)),
             captions);
  return captions;
}

}  // namespace

Result<TranscriptSummary> summarise_transcript(Session& session, MeetingId meeting) {
  TranscriptSummary summary;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    summary = {};
    const std::string id = meeting.to_string();
    for (const auto& row : run_timed(transaction,
                                     "select track, max(end_ms), max(caption_offset), max(segment)"
                                     " from utterances where meeting = $1 group by track",
                                     id)) {
      summary.final_until_ms[static_cast<TrackId>(row[0].as<int>())] = row[1].as<std::int64_t>();
      summary.last_offset = std::max(summary.last_offset, row[2].as<std::uint64_t>());
      summary.last_segment = std::max(summary.last_segment, row[3].as<std::uint64_t>());
    }
    for (const auto& row :
         run_timed(transaction,
                   "select key, name, provenance from speakers where meeting = $1 order by key",
                   id)) {
      summary.speakers.push_back(
          {row[0].as<std::string>(), row[1].as<std::string>(), read_provenance(row[2].c_str()), 0});
    }
    return ok();
  });
  if (!status) return status.error();
  return summary;
}

Result<std::uint64_t> last_offset(Session& session, MeetingId meeting) {
  std::uint64_t offset = 0;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    offset = transaction
                 .exec_params1(
                     "select coalesce(max(caption_offset), 0) from utterances where meeting = $1",
                     meeting.to_string())[0]
                 .as<std::uint64_t>();
    return ok();
  });
  if (!status) return status.error();
  return offset;
}

Status append_captions(Session& session, std::span<const CaptionPtr> captions) {
  if (captions.empty()) return ok();
  for (const CaptionPtr& caption : captions)
    QYLON_CHECK(caption->offset.has_value());
  return session.transact([captions](pqxx::transaction_base& transaction) {
    upsert_speakers(transaction, captions);
    insert_utterances(transaction, captions);
    for (const CaptionPtr& caption : captions) {
      if (caption->change) store_speaker_change(transaction, *caption);
    }
    return ok();
  });
}

namespace {

Result<std::vector<Caption>> load_page(Session& session,
                                       const char* query,
                                       MeetingId meeting,
                                       std::uint64_t after_offset,
                                       std::size_t limit) {
  std::vector<Caption> captions;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    captions = select_captions(transaction, query, meeting, after_offset, limit);
    return ok();
  });
  if (!status) return status.error();
  return captions;
}

}  // namespace

Result<std::vector<Caption>> load_captions(Session& session,
                                           MeetingId meeting,
                                           std::uint64_t after_offset,
                                           std::size_t limit) {
  const std::size_t rows_max = std::clamp<std::size_t>(limit, 1, 10'000);
  return load_page(session, kPublishedCaptions, meeting, after_offset, rows_max);
}

Result<Transcript> load_transcript(Session& session, MeetingId meeting) {
  constexpr std::size_t kPage = 10'000;  // Bounds one answer; a transcript may be longer.
  auto info = find_meeting(session, meeting);
  if (!info) return info.error();
  Transcript transcript;
  transcript.meeting = std::move(*info);
  for (std::uint64_t after = 0;;) {
    auto page = load_page(session, kRevisedCaptions, meeting, after, kPage);
    if (!page) return page.error();
    for (Caption& caption : *page)
      transcript.captions.push_back(std::move(caption));
    if (page->size() < kPage) return transcript;
    after = *transcript.captions.back().offset;
  }
}

}  // namespace qylon::storage

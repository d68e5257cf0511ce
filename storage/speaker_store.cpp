#include "storage/speaker_store.hpp"

#include <cstring>
#include <utility>

#include <pqxx/pqxx>

#include "core/check.hpp"
#include "storage/caption_record.hpp"
#include "storage/provenance.hpp"
#include "storage/query_times.hpp"
#include "storage/sql_array.hpp"

namespace qylon::storage {
namespace {

pqxx::binarystring bytes_of(std::span<const std::byte> values) {
  return {values.data(), values.size()};
}

/// True when it was not there before.
bool insert_change(pqxx::transaction_base& transaction, const Caption& caption) {
  const auto encoded = encode_speaker_change(*caption.change);
  return run_timed(transaction,
                   "insert into utterances (meeting, caption_offset, segment, revision, track,"
                   " start_ms, end_ms, speaker_key, speaker_confidence, text, confidence, language,"
                   " engine, change)"
                   " values ($1, $2, 0, 0, 0, 0, 0, '', 0, '', 0, '', '', $3)"
                   " on conflict do nothing",
                   caption.meeting.to_string(),
                   static_cast<std::int64_t>(*caption.offset),
                   bytes_of(std::as_bytes(std::span(encoded))))
             .affected_rows() > 0;
}

/// A speaker that a correction brings up; only a rename changes one that is known.
void know_speaker(pqxx::transaction_base& transaction, const Caption& caption) {
  const Speaker& speaker = caption.change->speaker;
  if (speaker.key.empty()) return;
  const bool renames = caption.change->kind == SpeakerChange::Kind::kRename;
  run_timed(
      transaction,
      std::string("insert into speakers (meeting, key, name, provenance) values ($1, $2, $3, $4)"
                  " on conflict (meeting, key) do ") +
          (renames ? "update set name = excluded.name, provenance = excluded.provenance"
                   : "update set merged_into = null"),
      caption.meeting.to_string(),
      speaker.key,
      speaker.name,
      std::string(provenance_name(speaker.provenance)));
}

void label_captions(pqxx::transaction_base& transaction, const Caption& caption) {
  SqlArray offsets;
  for (const std::uint64_t offset : caption.change->captions)
    offsets.add(static_cast<std::int64_t>(offset));
  const Speaker& speaker = caption.change->speaker;
  run_timed(transaction,
            "update utterances"
            " set label_key = $3, label_confidence = $4, label_provenance = $5"
            " where meeting = $1 and caption_offset = any($6::bigint[]) and caption_offset < $2"
            " and change is null",
            caption.meeting.to_string(),
            static_cast<std::int64_t>(*caption.offset),
            speaker.key,
            speaker.confidence,
            std::string(provenance_name(speaker.provenance)),
            offsets.str());
}

void merge_speaker(pqxx::transaction_base& transaction, const Caption& caption) {
  const std::string meeting = caption.meeting.to_string();
  const SpeakerChange& change = *caption.change;
  run_timed(
      transaction,
      "update utterances"
      " set label_key = $4, label_confidence = coalesce(label_confidence, speaker_confidence),"
      " label_provenance = $5"
      " where meeting = $1 and caption_offset < $2 and change is null"
      " and coalesce(label_key, speaker_key) = $3",
      meeting,
      static_cast<std::int64_t>(*caption.offset),
      change.from,
      change.speaker.key,
      std::string(provenance_name(change.speaker.provenance)));
  run_timed(transaction,
            "update speakers set merged_into = $3 where meeting = $1 and key = $2",
            meeting,
            change.from,
            change.speaker.key);
}

}  // namespace

void store_speaker_change(pqxx::transaction_base& transaction, const Caption& caption) {
  QYLON_CHECK(caption.offset && caption.change);
  if (!insert_change(transaction, caption)) return;
  know_speaker(transaction, caption);
  switch (caption.change->kind) {
    case SpeakerChange::Kind::kRelabel:
    case SpeakerChange::Kind::kSplit:
      label_captions(transaction, caption);
      return;
    case SpeakerChange::Kind::kMerge:
      merge_speaker(transaction, caption);
      return;
    case SpeakerChange::Kind::kRename:
      return;
  }
}

VoiceRow voice_row(const pqxx::row& row) {
  const pqxx::binarystring bytes(row[1]);
  VoiceRow voice{row[0].as<std::string>(), {}, row[2].as<float>()};
  voice.centroid.resize(bytes.size() / sizeof(float));
  std::memcpy(voice.centroid.data(), bytes.data(), voice.centroid.size() * sizeof(float));
  return voice;
}

Status save_voices(Session& session,
                   MeetingId meeting,
                   std::string_view model,
                   std::span<const VoiceRow> voices) {
  return session.transact([&](pqxx::transaction_base& transaction) {
    for (const VoiceRow& voice : voices) {
      run_timed(
          transaction,
          "insert into voices (meeting, key, model, centroid, weight)"
          " values ($1, $2, $3, $4, $5) on conflict (meeting, key) do update"
          " set model = excluded.model, centroid = excluded.centroid, weight = excluded.weight",
          meeting.to_string(),
          voice.key,
          std::string(model),
          bytes_of(std::as_bytes(std::span(voice.centroid))),
          voice.weight);
    }
    return ok();
  });
}

Result<std::vector<VoiceRow>> load_voices(Session& session,
                                          MeetingId meeting,
                                          std::string_view model) {
  std::vector<VoiceRow> voices;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    voices.clear();
    const auto rows = run_timed(
        transaction,
        "select key, centroid, weight from voices where meeting = $1 and model = $2 order by key",
        meeting.to_string(),
        std::string(model));
    for (const auto& row : rows)
      voices.push_back(voice_row(row));
    return ok();
  });
  if (!status) return status.error();
  return voices;
}

Result<std::vector<Speaker>> load_speakers(Session& session, MeetingId meeting) {
  std::vector<Speaker> speakers;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    speakers.clear();
    for (const auto& row : run_timed(transaction,
                                     "select key, name, provenance from speakers"
                                     " where meeting = $1 and merged_into is null order by key",
                                     meeting.to_string())) {
      speakers.push_back(
          {row[0].as<std::string>(), row[1].as<std::string>(), read_provenance(row[2].c_str()), 0});
    }
    return ok();
  });
  if (!status) return status.error();
  return speakers;
}

Result<std::map<std::string, std::string>> load_merged_speakers(Session& session,
                                                                MeetingId meeting) {
  std::map<std::string, std::string> merged;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    merged.clear();
    for (const auto& row : run_timed(
             transaction,
             "select key, merged_into from speakers where meeting = $1 and merged_into is not null",
             meeting.to_string())) {
      merged[row[0].as<std::string>()] = row[1].as<std::string>();
    }
    return ok();
  });
  if (!status) return status.error();
  return merged;
}

}  // namespace qylon::storage

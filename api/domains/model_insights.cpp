#include "api/domains/model_insights.hpp"

#include <utility>

#include "api/core/job_store.hpp"
#include "api/domains/insight_rows.hpp"
#include "api/insight/model_answer.hpp"

namespace qylon::api {
namespace {

const Error kDatabaseFull{ErrorCode::kOverloaded, "the database's queue is full"};

/// The organisation's own key, or empty: then the operator's holds.
Result<std::string> own_key(const Vault& vault, storage::Session& session, const std::string& org) {
  auto key = vault.read(
      session, {org, std::string(kModelKeySecret)}, {.actor = "", .purpose = "meeting insights"});
  if (key || key.error().code != ErrorCode::kNotFound) return key;
  return std::string();
}

}  // namespace

struct ModelInsights::Reading {
  Job job;
  JobDone done;
  MeetingWords words;
};

JobHandler ModelInsights::handler() {
  return [this](const Job& job, JobDone done) {
    auto reading = std::make_shared<Reading>(Reading{job, std::move(done), {}});
    const bool taken =
        jobs_.submit([this, reading](storage::Session& session) { ask(session, reading); });
    if (!taken) reading->done({.status = kDatabaseFull});
  };
}

void ModelInsights::ask(storage::Session& session, const ReadingPtr& reading) {
  const Status read = session.transact([&](pqxx::transaction_base& transaction) -> Status {
    storage::Sql sql(transaction);
    auto words = read_meeting_words(sql, reading->job.payload);
    if (!words) return words.error();
    reading->words = *std::move(words);
    return ok();
  });
  if (!read) return reading->done({.status = read});
  if (reading->words.lines.empty()) return reading->done({});
  auto key = own_key(vault_, session, reading->words.org);
  if (!key) return reading->done({.status = key.error()});
  model_->complete({.instructions = insight_instructions(),
                    .input = insight_input(reading->words.lines, reading->words.said_on),
                    .key = *std::move(key)},
                   [this, reading](const LanguageModel::Answer& answer) { take(answer, reading); });
}

void ModelInsights::take(const LanguageModel::Answer& answer, const ReadingPtr& reading) {
  if (!answer.text)
    return reading->done({.status = answer.text.error(), .retry_after_ms = answer.retry_after_ms});
  const bool taken = jobs_.submit([this, reading, text = *answer.text](storage::Session& session) {
    const MeetingWords& words = reading->words;
    const auto found = read_model_answer(
        text, words.lines, words.said_on, read_insights(words.lines, words.said_on));
    if (!found) return reading->done({.status = found.error()});
    const Status status = session.transact([&](pqxx::transaction_base& transaction) -> Status {
      storage::Sql sql(transaction);
      if (finish_jobs(sql, {reading->job.key}) == 0)
        return Error{ErrorCode::kConflict, "the job is no longer this try's"};
      store_insights(sql, words, *found, model_->name());
      return ok();
    });
    reading->done({.status = status, .settled = static_cast<bool>(status)});
  });
  if (!taken) reading->done({.status = kDatabaseFull});
}

}  // namespace qylon::api

#pragma once
/// What a language model finds in a meeting.

#include <memory>
#include <string>
#include <string_view>

#include "api/core/database_jobs.hpp"
#include "api/core/job.hpp"
#include "api/core/language_model.hpp"
#include "api/core/vault.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// The kind of job that has a meeting read; its payload is {"meeting":"UUID"}.
inline constexpr std::string_view kModelInsights = "meeting.insights.model";
/// An organisation's own key for the model, in its vault.
inline constexpr std::string_view kModelKeySecret = "llm/key";

/// Reads the transcript, asks the model, and puts what the transcript bears out in place of what
/// was found without one. When the model fails for good, that stays.
///
/// Threads : handler() as JobHandler says. The destructor waits for the statements under way;
///           requests under way end as failed.
class ModelInsights {
 public:
  /// `database` must outlive the object.
  ModelInsights(std::unique_ptr<LanguageModel> model, Vault vault, storage::Database& database)
      : vault_(std::move(vault)), jobs_(database), model_(std::move(model)) {}
  ~ModelInsights() { jobs_.close(); }
  ModelInsights(const ModelInsights&) = delete;
  ModelInsights& operator=(const ModelInsights&) = delete;
  ModelInsights(ModelInsights&&) = delete;
  ModelInsights& operator=(ModelInsights&&) = delete;

  JobHandler handler();

 private:
  struct Reading;
  using ReadingPtr = std::shared_ptr<Reading>;

  /// Database thread.
  void ask(storage::Session& session, const ReadingPtr& reading);
  /// The model's thread.
  void take(const LanguageModel::Answer& answer, const ReadingPtr& reading);

  const Vault vault_;
  DatabaseJobs jobs_;
  const std::unique_ptr<LanguageModel> model_;  // Ends first: its last answers use the jobs.
};

}  // namespace qylon::api

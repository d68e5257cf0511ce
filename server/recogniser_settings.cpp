#include "server/recogniser_settings.hpp"

#include <filesystem>

namespace qylon::server {

models::RecogniserSettings recogniser_settings(const Settings& settings) {
  models::RecogniserSettings result;
  result.engine = settings.engine;
  std::error_code error;
  result.worker_program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  result.workers = static_cast<int>(settings.recogniser_workers);
  result.model_dir = settings.model_dir;
  result.language_model = settings.language_model;
  result.vosk_library = settings.vosk_library;
  result.openai_base_url = settings.openai_base_url;
  result.openai_key_file = settings.openai_key_file;
  result.openai_model = settings.openai_model;
  result.openai_timeout_ms = settings.openai_timeout_ms;
  result.openai_concurrency = static_cast<int>(settings.openai_concurrency);
  result.websocket_url = settings.websocket_url;
  return result;
}

Result<std::shared_ptr<const diarization::EmbeddingModel>> load_voice_model(
    const Settings& settings) {
  return settings.voice_model.empty() ? diarization::EmbeddingModel::load_default()
                                      : diarization::EmbeddingModel::load(settings.voice_model);
}

}  // namespace qylon::server

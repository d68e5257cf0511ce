#pragma once
/// The decoder's own state and its language models. C types stay in the .cpp files.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "models/pocketsphinx/model.hpp"
#include "models/worker/segment_decoder.hpp"

struct ps_decoder_s;
struct fe_s;
struct ngram_model_s;

namespace qylon::models {

/// Threads: one at a time, in the zygote until fork, in a worker after.
class PocketSphinx {
 public:
  static Result<std::unique_ptr<PocketSphinx>> load(const PocketSphinxOptions& options);
  ~PocketSphinx();
  PocketSphinx(const PocketSphinx&) = delete;
  PocketSphinx& operator=(const PocketSphinx&) = delete;
  PocketSphinx(PocketSphinx&&) = delete;
  PocketSphinx& operator=(PocketSphinx&&) = delete;

  /// Adds the words of `sentences` to the dictionary and a model of them, with `weight` in (0, 1),
  /// to the mixture. Returns how many words could not be added.
  std::uint32_t mix_in(const std::vector<std::string>& sentences, float weight, bool is_text);

  ps_decoder_s* decoder() const noexcept { return decoder_; }
  fe_s* front_end() const noexcept { return front_end_; }
  const std::vector<float>& initial_mean() const noexcept { return initial_mean_; }
  /// The word as people write it.
  std::string shown(std::string_view word) const;

 private:
  PocketSphinx() = default;
  Status build_searches();
  bool ensure_word(const std::string& word);
  ngram_model_s* read_model(const std::string& arpa);

  ps_decoder_s* decoder_ = nullptr;
  fe_s* front_end_ = nullptr;  // For measuring means; the decoder's own keeps its state.
  ngram_model_s* base_ = nullptr;
  struct Component {
    ngram_model_s* model;
    float weight;
  };
  std::vector<Component> components_;  // Beside the base, which has what is left of 1.
  std::vector<float> initial_mean_;
  std::unordered_map<std::string, std::string> spelling_;  // Of words that we added.
};

}  // namespace qylon::models

#include "models/pocketsphinx/engine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fe.h>
#include <sphinxbase/feat.h>
#include <sphinxbase/ngram_model.h>
#include <sys/mman.h>

#include "models/pocketsphinx/arpa.hpp"
#include "models/pocketsphinx/letter_to_sound.hpp"
#include "core/worker/socket_io.hpp"

namespace qylon::models {
namespace {

constexpr const char* kDefaultModelDir = "/usr/share/pocketsphinx/model/en-us";
constexpr float kTextWeight = 0.5F;
constexpr float kLanguageWeight = 6.5F;
constexpr std::size_t kTextSentencesMax = 200'000;

struct ModelFiles {
  std::string acoustic;
  std::string dictionary;
  std::string language;
};

/// CMU's packaging: <dir>/<name>, <dir>/cmudict-<name>.dict, <dir>/<name>.lm.bin, where <name> is
/// the last part of <dir>.
Result<ModelFiles> find_files(const std::string& model_dir) {
  std::filesystem::path dir(model_dir.empty() ? kDefaultModelDir : model_dir);
  if (!dir.has_filename()) dir = dir.parent_path();
  const std::string name = dir.filename().string();
  ModelFiles files{(dir / name).string(),
                   (dir / ("cmudict-" + name + ".dict")).string(),
                   (dir / (name + ".lm.bin")).string()};
  for (const std::string& path : {files.acoustic, files.dictionary, files.language}) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      return Error{ErrorCode::kNotFound,
                   "PocketSphinx model file " + path +
                       " is missing; install pocketsphinx-en-us or set the model folder"};
    }
  }
  return files;
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return Error{ErrorCode::kNotFound, "language model text " + path + " cannot be read"};
  }
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < kTextSentencesMax && std::getline(file, line))
    lines.push_back(line);
  return lines;
}

cmd_ln_t* make_config(const ModelFiles& files) {
  // -remove_silence moves word times by what it removed; the segments come from our own detector,
  // so there is little silence to remove. -lw 6.5: 5 gives the same error rate, 4 and 9 more.
  return cmd_ln_init(nullptr,
                     ps_args(),
                     TRUE,
                     "-hmm",
                     files.acoustic.c_str(),
                     "-dict",
                     files.dictionary.c_str(),
                     "-remove_silence",
                     "no",
                     "-lw",
                     "6.5",
                     nullptr);
}

/// Spelling as given, when it is more than lower case: "Kowalska", "GStreamer".
void remember_spelling(std::string_view sentence,
                       const std::string& word,
                       std::unordered_map<std::string, std::string>& spelling) {
  for (std::size_t at = 0; at + word.size() <= sentence.size(); ++at) {
    const std::string_view found = sentence.substr(at, word.size());
    const auto words = dictionary_words(found);
    if (words.size() == 1 && words.front() == word) {
      if (found != word) spelling[word] = found;
      return;
    }
  }
}

}  // namespace

Result<std::unique_ptr<PocketSphinx>> PocketSphinx::load(const PocketSphinxOptions& options) {
  err_set_logfp(nullptr);
  const auto files = find_files(options.model_dir);
  if (!files) return files.error();
  std::unique_ptr<PocketSphinx> engine(new PocketSphinx());
  cmd_ln_t* config = make_config(*files);
  engine->decoder_ = config != nullptr ? ps_init(config) : nullptr;
  if (config != nullptr) cmd_ln_free_r(config);  // The decoder keeps its own reference.
  if (engine->decoder_ == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 "PocketSphinx cannot load " + files->acoustic + " with " + files->dictionary};
  }
  engine->front_end_ = fe_init_auto_r(ps_get_config(engine->decoder_));
  logmath_t* log_base = logmath_retain(ps_get_logmath(engine->decoder_));
  engine->base_ = ngram_model_read(
      ps_get_config(engine->decoder_), files->language.c_str(), NGRAM_AUTO, log_base);
  if (engine->front_end_ == nullptr || engine->base_ == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "PocketSphinx cannot load " + files->language};
  }
  engine->initial_mean_.resize(static_cast<std::size_t>(fe_get_output_size(engine->front_end_)));
  cmn_live_get(ps_get_feat(engine->decoder_)->cmn_struct, engine->initial_mean_.data());
  if (!options.language_model.empty()) {
    const auto lines = read_lines(options.language_model);
    if (!lines) return lines.error();
    engine->mix_in(*lines, kTextWeight, true);
    return engine;
  }
  if (Status built = engine->build_searches(); !built) return built.error();
  return engine;
}

PocketSphinx::~PocketSphinx() {
  if (decoder_ != nullptr) ps_free(decoder_);
  if (front_end_ != nullptr) fe_free(front_end_);
  for (const Component& component : components_)
    ngram_model_free(component.model);
  if (base_ != nullptr) ngram_model_free(base_);
}

std::uint32_t PocketSphinx::mix_in(const std::vector<std::string>& sentences,
                                   float weight,
                                   bool is_text) {
  // ps_add_word() also adds to the language models of every search, which breaks the trie they are
  // kept in and crashes a later segment. Without searches it touches the dictionary alone.
  ps_unset_search(decoder_, "live");
  ps_unset_search(decoder_, "final");
  std::uint32_t skipped = 0;
  std::vector<std::vector<std::string>> usable;
  for (const std::string& sentence : sentences) {
    std::vector<std::string> words = dictionary_words(sentence);
    std::erase_if(words, [&](const std::string& word) {
      const bool was_known = spelling_.contains(word);
      char* known = ps_lookup_word(decoder_, word.c_str());
      const bool in_dictionary = known != nullptr;
      ckd_free(known);
      if (in_dictionary) return false;
      if (!ensure_word(word)) return true;
      if (!was_known) remember_spelling(sentence, word, spelling_);
      return false;
    });
    if (words.empty()) ++skipped;
    usable.push_back(std::move(words));
  }
  const std::string arpa = build_arpa(usable, is_text);
  ngram_model_s* model = arpa.empty() ? nullptr : read_model(arpa);
  if (model != nullptr) components_.push_back({model, weight});
  if (!build_searches()) std::abort();  // Worked in the zygote: memory is out, or the model broke.
  return skipped;
}

bool PocketSphinx::ensure_word(const std::string& word) {
  const auto phones = letters_to_sound(word);
  return phones && ps_add_word(decoder_, word.c_str(), phones->c_str(), FALSE) >= 0;
}

ngram_model_s* PocketSphinx::read_model(const std::string& arpa) {
  const UniqueFd file(::memfd_create("arpa", MFD_CLOEXEC));
  if (!file) return nullptr;
  std::string_view left = arpa;
  while (!left.empty()) {
    const ssize_t written = ::write(file.get(), left.data(), left.size());
    if (written <= 0) return nullptr;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  logmath_t* log_base = logmath_retain(ps_get_logmath(decoder_));
  return ngram_model_read(ps_get_config(decoder_), path.c_str(), NGRAM_ARPA, log_base);
}

Status PocketSphinx::build_searches() {
  ngram_model_t* mixture = ngram_model_retain(base_);
  if (!components_.empty()) {
    // A set's weights act on scores that carry the language weight already: raise them to it.
    float base_weight = 1.0F;
    std::vector<ngram_model_t*> models{base_};
    std::vector<float> weights{0.0F};
    std::vector<char*> names{const_cast<char*>("base")};
    for (const Component& component : components_) {
      base_weight *= 1.0F - component.weight;
      models.push_back(component.model);
      weights.push_back(std::pow(component.weight, kLanguageWeight));
      names.push_back(const_cast<char*>("mixed"));
    }
    weights.front() = std::pow(base_weight, kLanguageWeight);
    ngram_model_free(mixture);
    mixture = ngram_model_set_init(ps_get_config(decoder_),
                                   models.data(),
                                   names.data(),
                                   weights.data(),
                                   static_cast<int>(models.size()));
  }
  cmd_ln_t* config = ps_get_config(decoder_);
  cmd_ln_set_boolean_r(config, "-fwdflat", FALSE);
  cmd_ln_set_boolean_r(config, "-bestpath", FALSE);
  bool built = mixture != nullptr && ps_set_lm(decoder_, "live", mixture) == 0;
  cmd_ln_set_boolean_r(config, "-fwdflat", TRUE);
  cmd_ln_set_boolean_r(config, "-bestpath", TRUE);
  // Last, because it decides that features are kept for the second pass.
  built = built && ps_set_lm(decoder_, "final", mixture) == 0;
  ngram_model_free(mixture);  // The searches keep their own references.
  if (built) return ok();
  return Error{ErrorCode::kInvalidArgument, "PocketSphinx cannot build its search"};
}

std::string PocketSphinx::shown(std::string_view word) const {
  const auto found = spelling_.find(std::string(word));
  if (found != spelling_.end()) return found->second;
  std::string text(word);
  if (text == "i" || text.starts_with("i'")) text.front() = 'I';
  return text;
}

}  // namespace qylon::models

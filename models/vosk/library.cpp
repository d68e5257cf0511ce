#include "models/vosk/library.hpp"

#include <dlfcn.h>

namespace qylon::models {
namespace {

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<VoskLibrary> VoskLibrary::open(const std::string& name) {
  void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorCode::kNotFound,
                 "the Vosk library " + name + " cannot be loaded: " + ::dlerror() +
                     "; set its path (the npm package `vosk` carries one)"};
  }
  VoskLibrary vosk;
  const bool complete =
      find(library, "vosk_set_log_level", vosk.set_log_level) &&
      find(library, "vosk_model_new", vosk.model_new) &&
      find(library, "vosk_model_free", vosk.model_free) &&
      find(library, "vosk_recognizer_new", vosk.recognizer_new) &&
      find(library, "vosk_recognizer_free", vosk.recognizer_free) &&
      find(library, "vosk_recognizer_set_words", vosk.recognizer_set_words) &&
      find(library, "vosk_recognizer_accept_waveform_s", vosk.recognizer_accept) &&
      find(library, "vosk_recognizer_result", vosk.recognizer_result) &&
      find(library, "vosk_recognizer_partial_result", vosk.recognizer_partial) &&
      find(library, "vosk_recognizer_final_result", vosk.recognizer_final) &&
      find(library, "vosk_recognizer_reset", vosk.recognizer_reset);
  if (!complete) {
    return Error{ErrorCode::kInvalidArgument,
                 "the library " + name + " is not libvosk: " + ::dlerror()};
  }
  find(library, "vosk_recognizer_set_partial_words", vosk.recognizer_set_partial_words);
  return vosk;
}

}  // namespace qylon::models

#pragma once
/// libvosk, loaded when an operator has installed it.

#include <memory>
#include <string>

#include "core/result.hpp"

struct VoskModel;
struct VoskRecognizer;

namespace qylon::models {

/// The functions of vosk_api.h that we call; its interface is opaque pointers and JSON strings, and
/// none of these has changed since 2020.
struct VoskLibrary {
  void (*set_log_level)(int) = nullptr;
  VoskModel* (*model_new)(const char*) = nullptr;
  void (*model_free)(VoskModel*) = nullptr;
  VoskRecognizer* (*recognizer_new)(VoskModel*, float) = nullptr;
  void (*recognizer_free)(VoskRecognizer*) = nullptr;
  void (*recognizer_set_words)(VoskRecognizer*, int) = nullptr;
  int (*recognizer_accept)(VoskRecognizer*, const short*, int) = nullptr;
  const char* (*recognizer_result)(VoskRecognizer*) = nullptr;
  const char* (*recognizer_partial)(VoskRecognizer*) = nullptr;
  const char* (*recognizer_final)(VoskRecognizer*) = nullptr;
  void (*recognizer_reset)(VoskRecognizer*) = nullptr;
  void (*recognizer_set_partial_words)(VoskRecognizer*, int) = nullptr;  ///< Null before 0.3.42.

  /// `name` as for dlopen(3). The library stays loaded until the process ends.
  /// Errors: kNotFound with what the loader says, kInvalidArgument naming a missing function.
  static Result<VoskLibrary> open(const std::string& name);
};

}  // namespace qylon::models

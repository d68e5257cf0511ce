// A library with libvosk's symbols (alphacep/vosk-api, src/vosk_api.h) that hears a word in every
// 300 ms of sound, so that captions of any load are plenty, cheap and the same every time.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

#define QYLON_STANDIN_API extern "C" __attribute__((visibility("default")))

namespace {

constexpr std::size_t kWordSamples = 4'800;
constexpr std::array kWords{"alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf"};

struct Model {};

struct Recogniser {
  std::size_t samples = 0;
  std::string answer;
};

/// The words so far, in the form of vosk's results.
const char* say(Recogniser& recogniser, const char* list_name, const char* text_name) {
  std::string list;
  std::string text;
  for (std::size_t i = 0; (i + 1) * kWordSamples <= recogniser.samples; ++i) {
    const char* const word = kWords.at(i % kWords.size());
    const double start = 0.3 * static_cast<double>(i);
    std::array<char, 100> line{};
    std::snprintf(line.data(),
                  line.size(),
                  R"(%s{"conf":0.9,"end":%.3f,"start":%.3f,"word":"%s"})",
                  list.empty() ? "" : ",",
                  start + 0.25,
                  start,
                  word);
    list += line.data();
    text += (text.empty() ? "" : " ") + std::string(word);
  }
  recogniser.answer = "{";
  if (!list.empty()) recogniser.answer += std::string("\"") + list_name + "\":[" + list + "],";
  recogniser.answer += std::string("\"") + text_name + "\":\"" + text + "\"}";
  return recogniser.answer.c_str();
}

}  // namespace

QYLON_STANDIN_API void vosk_set_log_level(int) {}
QYLON_STANDIN_API Model* vosk_model_new(const char*) {
  return new Model;
}
QYLON_STANDIN_API void vosk_model_free(Model* model) {
  delete model;
}
QYLON_STANDIN_API Recogniser* vosk_recognizer_new(Model*, float) {
  return new Recogniser;
}
QYLON_STANDIN_API void vosk_recognizer_free(Recogniser* recogniser) {
  delete recogniser;
}
QYLON_STANDIN_API void vosk_recognizer_set_words(Recogniser*, int) {}
QYLON_STANDIN_API void vosk_recognizer_set_partial_words(Recogniser*, int) {}
QYLON_STANDIN_API int vosk_recognizer_accept_waveform_s(Recogniser* recogniser,
                                                        const short*,
                                                        int count) {
  recogniser->samples += static_cast<std::size_t>(count);
  return 0;
}
QYLON_STANDIN_API const char* vosk_recognizer_partial_result(Recogniser* recogniser) {
  return say(*recogniser, "partial_result", "partial");
}
QYLON_STANDIN_API const char* vosk_recognizer_result(Recogniser* recogniser) {
  return say(*recogniser, "result", "text");
}
QYLON_STANDIN_API const char* vosk_recognizer_final_result(Recogniser* recogniser) {
  return say(*recogniser, "result", "text");
}
QYLON_STANDIN_API void vosk_recognizer_reset(Recogniser* recogniser) {
  recogniser->samples = 0;
}

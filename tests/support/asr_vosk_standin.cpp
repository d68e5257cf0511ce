// A library with libvosk's symbols (alphacep/vosk-api, src/vosk_api.h) and a recogniser of our own
// making, so that tests can say exactly what is heard and when the library breaks.
//
// Speech is runs of equal samples: a run of value 100 * n is the n-th word of kWords, 0 is silence.
// Some values are poison: kCrash aborts, kCrashOnce aborts unless <model>/crashed exists, kHang
// never returns, kBadJson makes the answers unreadable, kKillParent kills the zygote, kCountFiles
// makes the first word say how many descriptors are open.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define QYLON_STANDIN_API extern "C" __attribute__((visibility("default")))

namespace {

constexpr std::array kWords{"zero", "one", "two", "three", "four", "five", "six", "seven"};
constexpr short kCrash = 31337;
constexpr short kHang = 31338;
constexpr short kCrashOnce = 31339;
constexpr short kBadJson = 31340;
constexpr short kKillParent = 31341;
constexpr short kCountFiles = 31342;
constexpr int kWordSamplesMin = 160;

struct Model {
  std::string path;
};

struct Recogniser {
  Model* model = nullptr;
  std::vector<short> samples;
  std::string answer;
  bool words = false;
};

void obey_poison(const Recogniser& recogniser, short sample) {
  if (sample == kCrash) std::abort();
  if (sample == kKillParent) ::kill(::getppid(), SIGKILL);
  if (sample == kHang || sample == kKillParent) {
    for (;;)
      ::pause();
  }
  if (sample == kCrashOnce) {
    const std::string mark = recogniser.model->path + "/crashed";
    struct stat status {};
    if (::stat(mark.c_str(), &status) == 0) return;
    if (std::FILE* file = std::fopen(mark.c_str(), "w")) std::fclose(file);
    std::abort();
  }
}

struct Heard {
  std::string text;
  std::string result;
};

void add_word(Heard& heard, std::size_t index, std::size_t start, std::size_t end) {
  std::array<char, 200> line{};
  std::snprintf(line.data(),
                line.size(),
                R"(%s{"conf":0.875,"end":%.3f,"start":%.3f,"word":"%s"})",
                heard.result.empty() ? "" : ",",
                static_cast<double>(end) / 16000,
                static_cast<double>(start) / 16000,
                kWords.at(index));
  heard.result += line.data();
  heard.text += (heard.text.empty() ? "" : " ") + std::string(kWords.at(index));
}

Heard listen(const std::vector<short>& samples) {
  Heard heard;
  for (std::size_t at = 0; at < samples.size();) {
    std::size_t end = at;
    while (end < samples.size() && samples[end] == samples[at])
      ++end;
    const auto index = static_cast<std::size_t>(samples[at] / 100);
    const bool is_word = samples[at] > 0 && samples[at] % 100 == 0 && index < kWords.size();
    if (is_word && end - at >= kWordSamplesMin) add_word(heard, index, at, end);
    at = end;
  }
  return heard;
}

bool holds(const std::vector<short>& samples, short value) {
  for (const short sample : samples) {
    if (sample == value) return true;
  }
  return false;
}

int open_files() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd)
    count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

const char* say(Recogniser& recogniser, bool partial) {
  const Heard heard = listen(recogniser.samples);
  const std::string key = partial ? "partial" : "text";
  recogniser.answer = "{";
  if (recogniser.words && !heard.result.empty()) {
    recogniser.answer +=
        std::string("\"") + (partial ? "partial_result" : "result") + "\":[" + heard.result + "],";
  }
  recogniser.answer += "\"" + key + "\":\"" + heard.text + "\"}";
  if (holds(recogniser.samples, kCountFiles)) {
    recogniser.answer = "{\"" + key + "\":\"" + std::to_string(open_files()) + "\"}";
  }
  if (holds(recogniser.samples, kBadJson)) recogniser.answer = "{\"text\":[[[";
  return recogniser.answer.c_str();
}

}  // namespace

QYLON_STANDIN_API void vosk_set_log_level(int) {}

QYLON_STANDIN_API Model* vosk_model_new(const char* path) {
  struct stat status {};
  if (::stat((std::string(path) + "/am").c_str(), &status) != 0) return nullptr;
  return new Model{path};
}
QYLON_STANDIN_API void vosk_model_free(Model* model) {
  delete model;
}
QYLON_STANDIN_API Recogniser* vosk_recognizer_new(Model* model, float) {
  auto* recogniser = new Recogniser;
  recogniser->model = model;
  return recogniser;
}
QYLON_STANDIN_API void vosk_recognizer_free(Recogniser* recogniser) {
  delete recogniser;
}
QYLON_STANDIN_API void vosk_recognizer_set_words(Recogniser* recogniser, int words) {
  recogniser->words = words != 0;
}
QYLON_STANDIN_API void vosk_recognizer_set_partial_words(Recogniser*, int) {}
QYLON_STANDIN_API int vosk_recognizer_accept_waveform_s(Recogniser* recogniser,
                                                        const short* samples,
                                                        int count) {
  for (int i = 0; i < count; ++i) {
    obey_poison(*recogniser, samples[i]);
    recogniser->samples.push_back(samples[i]);
  }
  return 0;
}
QYLON_STANDIN_API const char* vosk_recognizer_partial_result(Recogniser* recogniser) {
  return say(*recogniser, true);
}
QYLON_STANDIN_API const char* vosk_recognizer_result(Recogniser* recogniser) {
  return say(*recogniser, false);
}
QYLON_STANDIN_API const char* vosk_recognizer_final_result(Recogniser* recogniser) {
  return say(*recogniser, false);
}
QYLON_STANDIN_API void vosk_recognizer_reset(Recogniser* recogniser) {
  recogniser->samples.clear();
}

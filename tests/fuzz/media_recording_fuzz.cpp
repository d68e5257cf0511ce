// Any bytes may lie where a recording should be: it opens, goes on, and opens again where it ended.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "core/check.hpp"
#include "media/recording_file.hpp"

namespace {

/// In memory, so that no disk is waited for; gone when the program ends.
struct ScratchFolder {
  ScratchFolder() { QYLON_CHECK(mkdtemp(name) != nullptr); }
  ~ScratchFolder() { std::filesystem::remove_all(name); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  char name[40] = "/dev/shm/qylon_recording_fuzz_XXXXXX";
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFolder folder;
  const std::string path = std::string(folder.name) + "/track.opus";
  {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  constexpr std::uint8_t kSilence[] = {0xF8, 0xFF, 0xFE};
  std::int64_t end_48k = 0;
  {
    auto file = qylon::media::RecordingFile::open(path, {});
    QYLON_CHECK(file);
    QYLON_CHECK((*file)->append(kSilence, 960));
    QYLON_CHECK((*file)->flush());
    end_48k = (*file)->end_48k();
  }
  const auto again = qylon::media::RecordingFile::open(path, {});
  QYLON_CHECK(again);
  QYLON_CHECK((*again)->end_48k() == end_48k);
  return 0;
}

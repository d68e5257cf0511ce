#pragma once
/// Streams of bytes as real programs write them: made by ffmpeg from one test sound.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::test {

/// Runs ffmpeg with what it needs to be quiet. REQUIRES: Debian's ffmpeg is installed.
inline void run_ffmpeg(const std::string& arguments) {
  const std::string command = "ffmpeg -nostdin -hide_banner -loglevel error -y " + arguments;
  QYLON_CHECK(std::system(command.c_str()) == 0);
}

inline std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// One second of a chirp with noise, encoded as `options` say ("-c:a libopus -f webm -live 1").
struct StreamFile {
  std::vector<std::uint8_t> bytes;
  std::string path;
};

class StreamFiles {
 public:
  /// `rate_hz` and `channels` of the sound before it is encoded. The file ends in `ending`.
  StreamFile make(const std::string& options,
                  const std::string& ending,
                  int rate_hz = 48000,
                  int channels = 1) {
    StreamFile file;
    file.path = directory_.path() + "/" + std::to_string(++count_) + "." + ending;
    const std::string sound =
        "-f lavfi -i \"aevalsrc=0.4*sin(2*PI*(200+300*t)*t)+0.1*(random(0)-0.5):s=" +
        std::to_string(rate_hz) + ":d=1\" -ac " + std::to_string(channels);
    run_ffmpeg(sound + " " + options + " " + file.path);
    file.bytes = read_bytes(file.path);
    return file;
  }

  /// What ffmpeg decodes from `file`: interleaved samples at the file's own rate.
  std::vector<std::int16_t> decode(const StreamFile& file, const std::string& input = "") {
    const std::string path = directory_.path() + "/decoded.s16";
    run_ffmpeg(input + " -i " + file.path + " -f s16le -c:a pcm_s16le " + path);
    const std::vector<std::uint8_t> bytes = read_bytes(path);
    std::vector<std::int16_t> samples(bytes.size() / 2);
    std::copy_n(bytes.begin(), samples.size() * 2, reinterpret_cast<std::uint8_t*>(samples.data()));
    return samples;
  }

  /// Sizes of the packets that ffprobe finds in `file`.
  std::vector<std::size_t> packet_sizes(const StreamFile& file) {
    const std::string path = directory_.path() + "/sizes";
    const std::string command = "ffprobe -v error -show_entries packet=size -of csv=p=0 " +
                                file.path + " | cut -d, -f1 > " + path;
    QYLON_CHECK(std::system(command.c_str()) == 0);
    std::ifstream lines(path);
    return {std::istream_iterator<std::size_t>(lines), std::istream_iterator<std::size_t>()};
  }

 private:
  TemporaryDirectory directory_{memory_directory()};
  int count_ = 0;
};

}  // namespace qylon::test

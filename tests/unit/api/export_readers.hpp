#pragma once
/// Strict readers of the export formats, written from the formats' own descriptions and sharing
/// nothing with the writers. They fail the test on whatever the format does not allow.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qylon::api::test {

struct ReadCue {
  std::string id;
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  std::string speaker;
  std::vector<std::string> lines;  ///< As a viewer shows them.

  std::string text() const {
    std::string joined;
    for (const std::string& line : lines)
      joined += (joined.empty() ? "" : " ") + line;
    return joined;
  }
};

std::vector<std::string> split_lines(std::string_view text);
std::vector<ReadCue> read_srt(std::string_view file);
std::vector<ReadCue> read_vtt(std::string_view file);
/// Rows of cells, the header first. Guards against formulas are taken away.
std::vector<std::vector<std::string>> read_csv(std::string_view file);
/// Fields of each line; fails unless there are ten.
std::vector<std::vector<std::string>> read_rttm(std::string_view file);

}  // namespace qylon::api::test

// chaos_journal DIRECTORY: which audio frames lie in a journal, as ./dev chaos compares them with
// what the server has acknowledged. Prints "TRACK FIRST END" for every unbroken run of frame
// numbers. REQUIRES: one meeting, one clock a track.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "storage/journal_record.hpp"

int main(int count, char** words) {
  using qylon::storage::Record;
  if (count != 2) return 2;
  std::map<qylon::TrackId, std::set<std::uint64_t>> frames;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) {
    if (entry.path().extension() != ".journal") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    qylon::storage::scan_segment(bytes, [&frames](const Record& record) {
      if (record.type == qylon::storage::RecordType::kAudio)
        frames[record.track].insert(record.seq);
    });
  }
  for (const auto& [track, seqs] : frames) {
    for (auto first = seqs.begin(); first != seqs.end();) {
      std::uint64_t end = *first;
      const auto next = std::find_if(first, seqs.end(), [&end](auto seq) { return seq != end++; });
      const std::uint64_t last = *std::prev(next);
      std::printf("%u %llu %llu\n",
                  unsigned{track},
                  static_cast<unsigned long long>(*first),
                  static_cast<unsigned long long>(last + 1));
      first = next;
    }
  }
  return 0;
}

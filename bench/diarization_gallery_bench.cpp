// How often a gallery names the right person, a wrong one, or a stranger: of the clips
// DIR/<speaker>-a.wav every second is enrolled, of DIR/<speaker>-b.wav all are asked about.
// 16 kHz mono 16-bit WAV files; without arguments nothing is measured.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "diarization/voice_gallery.hpp"
#include "diarization/voice_tracker.hpp"

namespace {

using qylon::diarization::EmbeddingModel;
using qylon::diarization::kBlockSamples;
using qylon::diarization::VoiceClusters;
using qylon::diarization::VoiceGallery;
using Profile = VoiceClusters::Profile;

std::vector<float> read_samples(const std::string& path) {
  constexpr std::size_t kHeaderBytes = 44;
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> samples;
  for (std::size_t at = kHeaderBytes; at + 2 <= bytes.size(); at += 2) {
    std::int16_t value = 0;
    std::memcpy(&value, bytes.data() + at, 2);
    samples.push_back(static_cast<float>(value) / 32768.0F);
  }
  return samples;
}

/// The voice that has most of a clip, as the live path would know it.
Profile profile_of(const std::shared_ptr<const EmbeddingModel>& model, const std::string& path) {
  VoiceClusters clusters(model);
  qylon::diarization::VoiceTracker tracker(clusters);
  const std::vector<float> samples = read_samples(path);
  for (std::size_t at = 0; at + kBlockSamples <= samples.size(); at += kBlockSamples)
    tracker.push(static_cast<std::int64_t>(at),
                 std::span<const float, kBlockSamples>(samples.data() + at, kBlockSamples),
                 true);
  Profile most;
  for (Profile& profile : clusters.profiles()) {
    if (profile.weight > most.weight) most = std::move(profile);
  }
  return most;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::printf("usage: diarization_gallery_bench DIR\n");
    return 0;
  }
  const auto model = EmbeddingModel::load_default();
  if (!model) return 1;
  std::vector<std::string> speakers;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const std::string name = entry.path().filename();
    if (name.ends_with("-a.wav")) speakers.push_back(name.substr(0, name.size() - 6));
  }
  std::sort(speakers.begin(), speakers.end());
  const std::string directory = std::string(argv[1]) + "/";
  std::vector<VoiceGallery::Person> people;
  for (std::size_t i = 0; i < speakers.size(); i += 2) {
    Profile profile = profile_of(*model, directory + speakers[i] + "-a.wav");
    people.push_back({speakers[i], std::move(profile.centroid), profile.weight});
  }
  const VoiceGallery gallery(**model, std::move(people));
  constexpr std::array<float, 5> kFloors{0.5F, 0.8F, 0.9F, 0.95F, 0.99F};
  std::array<std::array<int, 3>, kFloors.size()> named{};  // Right, wrong, strangers.
  std::array<int, 2> asked{};                              // Enrolled, strangers.
  for (std::size_t i = 0; i < speakers.size(); ++i) {
    const Profile profile = profile_of(*model, directory + speakers[i] + "-b.wav");
    const auto found = gallery.recognise(profile.centroid, profile.weight);
    ++asked[i % 2];
    if (!found) continue;
    const bool right = gallery.people()[found->person].name == speakers[i];
    for (std::size_t k = 0; k < kFloors.size(); ++k) {
      if (found->probability >= kFloors[k]) ++named[k][i % 2 == 1 ? 2 : (right ? 0 : 1)];
    }
  }
  for (std::size_t k = 0; k < kFloors.size(); ++k) {
    std::printf(
        "floor %.2f: enrolled %d named right %.1f %% wrong %.1f %%; strangers %d named %.1f %%\n",
        static_cast<double>(kFloors[k]),
        asked[0],
        100.0 * named[k][0] / asked[0],
        100.0 * named[k][1] / asked[0],
        asked[1],
        100.0 * named[k][2] / asked[1]);
  }
  return 0;
}

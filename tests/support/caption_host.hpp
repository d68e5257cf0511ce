#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "media/captioner.hpp"

namespace qylon::test {

/// A meeting that keeps what its captioners say. Nobody shares a track.
class CaptionHost : public media::CaptionHost {
 public:
  std::uint64_t next_segment() override { return ++segment_; }
  Speaker speaker_of(const diarization::VoiceLabel& /*label*/) override { return {}; }
  Speaker speaker_on(TrackId /*track*/,
                     const Speaker& person,
                     const diarization::VoiceLabel& /*label*/) override {
    return person;
  }
  bool is_shared(TrackId /*track*/) const override { return false; }
  void on_interim(Caption&& caption) override { interims_.push_back(std::move(caption)); }
  void on_final(Caption&& caption, std::vector<media::VoiceWindow>&& /*windows*/) override {
    finals_.push_back(std::move(caption));
  }

 protected:
  std::uint64_t segment_ = 0;
  std::vector<Caption> interims_;
  std::vector<Caption> finals_;
};

}  // namespace qylon::test

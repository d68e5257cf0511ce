#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/meeting_control.hpp"
#include "media/containers/stream_service.hpp"
#include "media/ingress.hpp"
#include "media/meeting_directory.hpp"
#include "media/shard.hpp"

namespace qylon::media {

/// All live meetings, each on the shard that its id hashes to: the door for audio and for ending.
///
/// Threads : every method is safe from any thread and does not block.
class LiveMeetings final : public Ingress, public MeetingControl {
 public:
  /// REQUIRES: shard_count >= 1. Everything referred to must outlive this. Without `streams`
  /// tracks that come as streams of bytes are refused.
  LiveMeetings(int shard_count,
               const Shard::Options& options,
               const Meeting::Parts& parts,
               MeetingDirectory& directory,
               std::unique_ptr<StreamService> streams = nullptr);

  void open(UplinkHello hello, Opened opened) override;
  /// Runs `task` once on every shard, soon. Any thread; returns at once.
  void for_each_shard(const std::function<void()>& task);

  void end_meeting(MeetingId meeting, std::function<void(Status)> done) override;
  void correct_speakers(MeetingId meeting,
                        SpeakerChange change,
                        std::function<void(Result<std::uint64_t>)> done) override;
  void voice_hints(MeetingId meeting,
                   std::function<void(Result<std::vector<VoiceHint>>)> done) override;

 private:
  Shard& shard_of(MeetingId meeting) const;
  void open_packets(UplinkHello hello, Opened opened);
  void open_streams(const UplinkHello& hello, const Opened& opened);
  Result<std::shared_ptr<TrackUplink>> open_stream(const UplinkHello& hello,
                                                   const TrackHello& track);
  void open_recorded(UplinkHello hello, Result<MeetingRecord> record, const Opened& opened);

  MeetingDirectory& directory_;
  std::vector<std::unique_ptr<Shard>> shards_;
  const std::unique_ptr<StreamService> streams_;  // Feeds the shards, so it goes before them.
};

}  // namespace qylon::media

// A worker program that breaks when it is told to. Every piece becomes one PCM packet of its bytes;
// "CRASH" in a piece aborts the worker, "SPIN" keeps it busy for ever, "LIE" answers nonsense.
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/worker/socket_io.hpp"
#include "core/worker/zygote.hpp"
#include "media/containers/stream_messages.hpp"
#include "media/containers/stream_worker.hpp"

namespace qylon::media {
namespace {

struct Place {
  std::uint64_t offset = 0;
  std::uint64_t units = 0;
  std::int64_t time_us = 0;
};

constexpr AudioFormat kFound{Codec::kPcmS16le, 16000, 1};

void misbehave(std::string_view bytes) {
  if (bytes.find("CRASH") != std::string_view::npos) std::abort();
  if (bytes.find("SPIN") == std::string_view::npos) return;
  const itimerval limit{{0, 0}, {0, kPieceCpuMsMax * 1000}};
  ::setitimer(ITIMER_PROF, &limit, nullptr);
  const volatile bool for_ever = true;
  while (for_ever) {
  }
}

std::string answer(const StreamPiece& piece, Place& place) {
  std::string out;
  append_frame(out, StreamFrame::kFormat, encode_format({piece.stream, kFound}));
  PayloadWriter packets;
  packets.value(piece.stream);
  packets.value(place.time_us);
  packets.value(static_cast<std::uint32_t>(piece.bytes.size()));
  packets.raw(piece.bytes);
  append_frame(out, StreamFrame::kPackets, packets.bytes());
  place.offset += piece.bytes.size();
  place.units += piece.bytes.size() / 2;
  place.time_us += static_cast<std::int64_t>(piece.bytes.size() / 2 * 1000 / 16);
  PieceDone done;
  done.stream = piece.stream;
  done.codec = Codec::kMp3;
  done.restart = {0, place.offset, 0, place.units, place.time_us};
  done.units = place.units;
  if (piece.bytes.find("LIE") != std::string_view::npos) done.restart.offset += 1'000'000;
  append_frame(out, StreamFrame::kPieceDone, encode_done(done));
  return out;
}

void serve(int socket) {
  std::string ready;
  append_frame(ready, ControlFrame::kReady, encode_ready({::getpid(), 0, false}));
  if (!write_all(socket, ready)) return;
  FrameReader reader;
  std::map<StreamId, Place> places;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    reader.append({buffer.data(), static_cast<std::size_t>(got)});
    for (;;) {
      const auto frame = reader.next();
      if (!frame || !frame->has_value()) break;
      if (const auto open = parse_open((*frame)->payload);
          open && (*frame)->type == StreamFrame::kOpen)
        places[open->stream] = {open->start.offset, 0, open->start.resume.time_us};
      if ((*frame)->type != StreamFrame::kPiece) continue;
      const auto piece = parse_piece((*frame)->payload);
      misbehave(piece->bytes);
      if (!write_all(socket, answer(*piece, places[piece->stream]))) return;
    }
  }
}

}  // namespace
}  // namespace qylon::media

int main(int argc, char** argv) {
  using qylon::WorkerLife;
  if (argc < 2 || std::strcmp(argv[1], qylon::media::kStreamZygoteSubcommand) != 0) return 2;
  return qylon::serve_zygote(
      {}, [] { return qylon::Result<WorkerLife>(WorkerLife(qylon::media::serve)); });
}

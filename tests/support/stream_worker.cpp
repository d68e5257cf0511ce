// The worker program of the stream tests: what `qylon stream-zygote` does, alone.
#include "media/containers/stream_worker.hpp"

#include <cstring>

int main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], qylon::media::kStreamZygoteSubcommand) != 0) return 2;
  return qylon::media::run_stream_zygote();
}

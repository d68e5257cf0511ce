// The worker program of the recogniser tests: what `qylon recogniser-zygote` does, alone.
#include <cstring>

#include "models/recogniser_factory.hpp"

int main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], qylon::models::kZygoteSubcommand) != 0) return 2;
  return qylon::models::run_recogniser_zygote({argv + 2, argv + argc});
}

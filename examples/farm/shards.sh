#!/bin/bash
# Photos to a result by shards, on this machine or several, with GNU parallel:
#
#     examples/farm/shards.sh PHOTOS OUT [options of recon3d run ...]
#
# SHARDS: how many (4). PARALLEL: the command that runs one line per shard, such as
# "parallel --sshloginfile machines.txt --workdir ." (parallel). RECON3D: the program (recon3d).
# PHOTOS and OUT must be absolute paths on storage that all machines share.
set -euo pipefail

photos=$1 out=$2
shift 2
shards=${SHARDS:-4}
read -ra recon3d <<<"${RECON3D:-recon3d}"
read -ra parallel <<<"${PARALLEL:-parallel --halt soon,fail=1}"

share() { # share STAGE: one of its steps
    for part in $(seq "$shards"); do
        printf '%q ' "${recon3d[@]}" "$1" "$out" --shard "$part/$shards"
        echo
    done | "${parallel[@]}"
}

"${recon3d[@]}" run "$photos" -o "$out" "$@" --until pairs
share features
"${recon3d[@]}" features "$out"
share matches
share matches # some front-ends match in two steps
"${recon3d[@]}" run "$photos" -o "$out" "$@" --until refine
share dense # estimating depth
share dense # comparing it with the neighbors'
"${recon3d[@]}" run "$photos" -o "$out" "$@"

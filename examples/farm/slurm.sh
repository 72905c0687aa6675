#!/bin/bash
# Photos to a result by job arrays of Slurm:
#
#     examples/farm/slurm.sh PHOTOS OUT [options of recon3d run ...]
#
# SHARDS: how many (8). SBATCH: the command that submits, with options for this cluster, such as
# "sbatch --partition=gpu --gres=gpu:1" (sbatch). RECON3D: the program (recon3d).
# PHOTOS and OUT must be absolute paths on storage that all nodes share.
set -euo pipefail

photos=$1 out=$2
shift 2
shards=${SHARDS:-8}
read -ra recon3d <<<"${RECON3D:-recon3d}"
read -ra sbatch <<<"${SBATCH:-sbatch}"
before=

submit() { # submit NAME [options of sbatch ...] -- COMMAND ...: after the job before, if that has succeeded
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    before=$("${sbatch[@]}" --parsable --job-name="recon3d-$name" ${before:+--dependency=afterok:$before} \
        ${options[@]+"${options[@]}"} --wrap "$*")
}

run() { # run NAME COMMAND ...
    local name=$1
    shift
    submit "$name" -- "$(printf '%q ' "${recon3d[@]}" "$@")"
}

share() { # share STAGE: one of its steps, as an array; Slurm numbers its tasks from 1
    submit "$1" --array="1-$shards" -- \
        "$(printf '%q ' "${recon3d[@]}" "$1" "$out")--shard \$SLURM_ARRAY_TASK_ID/$shards"
}

run pairs run "$photos" -o "$out" "$@" --until pairs
share features
run features features "$out"
share matches
share matches # some front-ends match in two steps
run cameras run "$photos" -o "$out" "$@" --until refine
share dense # estimating depth
share dense # comparing it with the neighbors'
run result run "$photos" -o "$out" "$@"
echo "The result will be in $out after job $before."

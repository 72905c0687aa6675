#!/bin/bash
# Builds the containers recon3d:cpu and recon3d:cuda, or the variants that are named, and tries each:
#
#     examples/farm/build_containers.sh [cpu] [cuda]
set -euo pipefail

cd "$(dirname "$0")/../.."
if ! docker info >/dev/null 2>&1; then
    echo "Docker is not running on this machine: start it, or build where it is." >&2
    exit 2
fi
[ $# -gt 0 ] || set -- cpu cuda
for variant in "$@"; do
    docker build -f examples/farm/Dockerfile -t "recon3d:$variant" --build-arg "VARIANT=$variant" .
    docker run --rm "recon3d:$variant" doctor
done

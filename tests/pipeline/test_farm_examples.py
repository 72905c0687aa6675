"""The recipes for farms: what Flamenco, GNU parallel and Slurm are given to run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from blender_recon3d.engine_setup import locks
from blender_recon3d.pipeline.cli.parser import make_parser
from tests.support.engine import REPOSITORY
from tests.support.scenes import box_scene, ring, write_capture

FARM = REPOSITORY / "examples" / "farm"
# What Flamenco's Manager gives a script; a task is copied when it is added to the job.
HARNESS = """
const fs = require("fs"), vm = require("vm");
const tasks = [];
const author = {
    Task: (name, type) => ({
        name, type, commands: [], dependencies: [],
        addCommand(command) { this.commands.push(command); },
        addDependency(task) { this.dependencies.push(task.name); },
    }),
    Command: (name, parameters) => ({ name, parameters }),
};
const job = {
    name: "a job", settings: JSON.parse(process.argv[2]),
    addTask(task) { tasks.push(JSON.parse(JSON.stringify(task))); },
};
const context = vm.createContext({ author, job, print: () => {} });
vm.runInContext(fs.readFileSync(process.argv[1], "utf-8") + "; compileJob(job); this.TYPE = JOB_TYPE;", context);
console.log(JSON.stringify({ type: context.TYPE, tasks }));
"""
# Runs what it is given at once, as jobs that end before the next is submitted.
SBATCH = """#!/bin/bash
for word in "$@"; do
    case $word in
        --array=*) last=${word##*-} ;;
        --dependency=*) [ "$word" = "--dependency=afterok:$(cat "$0.number")" ] || exit 9 ;;
        --wrap) ;;
    esac
    wrapped=$word
done
for number in $(seq "${last:-1}"); do
    SLURM_ARRAY_TASK_ID=$number bash -c "$wrapped" >&2 || exit 1
done
echo $$ | tee "$0.number"
"""


def flamenco(**settings: object) -> dict:
    given = {
        "photos": "/s/photos",
        "workspace": "/s/out",
        "blendfile_out": "/s/a.blend",
        "quality": "preview",
    }
    words = ["node", "-e", HARNESS, str(FARM / "recon3d_shards.js"), json.dumps(given | settings)]
    ran = subprocess.run(words, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_job_of_flamenco():
    found = flamenco(until="texture", shards=3)
    tasks = {task["name"]: task for task in found["tasks"]}
    done: set[str] = set()
    for name, task in tasks.items():  # each after all it waits for
        assert set(task["dependencies"]) <= done and bool(task["dependencies"]) == bool(done)
        (command,) = task["commands"]
        assert command["name"] == "exec"
        if command["parameters"]["exe"] == "{recon3d}":
            make_parser().parse_args(command["parameters"]["args"])
        done.add(name)
    parts = [f"matches-2-{part}" for part in (1, 2, 3)]
    assert tasks["matches"]["dependencies"] == parts
    assert tasks["matches-2-1"]["dependencies"] == [f"matches-1-{part}" for part in (1, 2, 3)]
    assert tasks["dense-1-2"]["commands"][0]["parameters"]["args"] == ["dense", "/s/out", "--shard", "2/3"]
    last = found["tasks"][-1]["commands"][0]["parameters"]
    assert last["exe"] == "{blender}" and last["args"][-2:] == ["/s/out", "/s/a.blend"]
    keys = {setting["key"]: setting for setting in found["type"]["settings"]}
    assert keys["shards"]["type"] == "int32" and set(keys["quality"]["choices"]) == {
        "preview",
        "medium",
        "high",
    }


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_job_of_flamenco_up_to_the_cameras():
    names = [task["name"] for task in flamenco(until="refine", shards=1)["tasks"]]
    assert names[-2:] == ["cameras", "import"] and "dense" not in names


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("script", ["shards.sh", "slurm.sh"])
def test_a_script_for_a_queue(tmp_path, script):
    photos, out = tmp_path / "all photos", tmp_path / "out"
    photos.mkdir()
    write_capture(photos, ring(4, arc=0.4), box_scene())
    sbatch = tmp_path / "sbatch"
    sbatch.write_text(SBATCH)
    sbatch.chmod(0o755)
    environment = {
        **os.environ,
        "RECON3D": f"{sys.executable} -m blender_recon3d.pipeline",
        "SHARDS": "2",
        "PARALLEL": "bash -e",
        "SBATCH": str(sbatch),
    }
    options = (
        "--features",
        "sift",
        "--max-keypoints",
        1000,
        "--dense-size",
        160,
        "--min-views",
        2,
        "--until",
        "dense",
    )
    words = [FARM / script, photos, out, *options]
    ran = subprocess.run(
        ["bash", *map(str, words)], env=environment, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert (out / "dense" / "fusion.ply").stat().st_size > 1000
    for step in ("features", "matches", "estimated", "compared"):
        assert f"step {step}, part 2 of 2" in ran.stderr


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_what_a_container_installs(variant):
    command = [sys.executable, FARM / "container_requirements.py", variant]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    names = [line.split("==")[0] for line in printed]
    assert names.count("torch") == names.count("pycolmap") == names.count("distributed") == 1
    assert any(locks.needs_card(name) for name in names) == (variant == "cuda")
    assert all("--hash=sha256:" in line for line in printed)

"""Damages the content of one file of a workspace, and runs the stage that reads it: the whole engine as a reader.

Damage that does not change a file's size is only noticed when it is read. The reader must use it or reject it in a
sentence, in time, and `--fresh` must work afterwards.
"""

from __future__ import annotations

import json

from .bench import Bench
from .mutations import damaged, damaged_json
from .records import Outcome, Run

NAME = "damaged workspaces"
READERS = (
    ("photos.json", "pairs"), ("pairs.txt", "matches"), ("database.db", "matches"), ("database.db", "sfm"),
    ("images/demo_22.jpg", "features"), ("sparse/0/cameras.bin", "dense"), ("sparse/0/images.bin", "dense"),
    ("sparse/0/points3D.bin", "dense"), ("sparse/0/frames.bin", "dense"), ("sparse/0/rigs.bin", "dense"),
    ("registration.json", "dense"), ("placement.json", "mesh"), ("dense/sparse/images.bin", "mesh"),
    ("dense/fusion.ply", "mesh"), ("dense/fusion.ply.vis", "mesh"), ("dense/images/demo_22.jpg", "texture"),
    ("mesh/mesh.ply", "texture"), ("mesh/full.ply", "texture"), ("state.json", "texture"), ("job.json", "texture"),
)  # fmt: skip


def attack(number: int, bench: Bench) -> Run:
    """Damage a file and run the stage that reads it."""
    chance = bench.random(NAME, number)
    name, stage = READERS[number % len(READERS)]
    folder = bench.copy("damaged", bench.before(stage))
    path = folder / name
    content = path.read_bytes()
    if name.endswith(".json") and chance.random() < 0.8:
        changed = damaged_json(json.loads(content), chance, 0.05)
    else:
        changed = damaged(content, chance)
    if chance.random() < 0.7:  # of the same size, which is only noticed by reading
        changed = changed[: len(content)].ljust(len(content), b" ")
    path.unlink()  # a photo may share its file with the capture's
    path.write_bytes(changed)
    return _judge(Run(NAME, number, Outcome.ACCEPTED, f"{name}, read in {stage}"), stage, bench)


def _judge(run: Run, stage: str, bench: Bench) -> Run:
    folder = bench.scratch / "damaged"
    ended = bench.run(folder, stage)
    if ended.code == 0:
        return run
    outcome, note = Outcome.REFUSED, ended.sentence
    if ended.code is None:
        outcome = Outcome.HUNG
    elif ended.unexpected or not ended.sentence:
        outcome, note = Outcome.ESCAPED, ended.sentence or ended.output.strip()[-200:]
    else:
        fresh = bench.call([*bench.command(folder, "pairs"), "--fresh"])
        if fresh.code != 0:
            outcome, note = Outcome.STUCK, f"--fresh: {fresh.sentence}"
    return Run(run.attack, run.number, outcome, run.case, note)

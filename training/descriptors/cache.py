"""Writes the training data of the descriptors: python -m training.descriptors.cache --data DATA --output CACHE

Views of all photos with the teacher's descriptors at SuperPoint's keypoints and at random points. Existing files are
kept, so an interrupted run continues, and training can start while it is running.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from ..photos import HELD_OUT_EVERY
from ..superglue.data import detect
from .network import load_superpoint
from .teacher import Teacher
from .views import View, cut_view, random_points, write_view

SUPERPOINT = Path(__file__).parents[2] / "vendor" / "weights" / "superpoint.safetensors"
ENDINGS = (".jpg", ".webp")
KEYPOINTS, RANDOM = 512, 512  # points per view
HELD_OUT_CAPTURES = ("indoor_naver_floor2", "indoor_tum_fr3_office", "museum_nineveh_panel17")
ROUND = 300  # photos after whose first views the captures get another variant


def photo_lists(data: Path) -> dict[str, list[Path]]:
    """Photos for training ("captures", "photos") and held out ("held"): whole captures, and every twentieth photo.

    Raises FileNotFoundError if there are none.
    """
    captures, photos = (
        sorted(path for ending in ENDINGS for path in (data / "train").glob(f"{place}/*{ending}"))
        for place in ("captures/*", "photos")
    )
    if not captures and not photos:
        raise FileNotFoundError(f"no photos in {data / 'train'}")
    held = [path for path in captures if path.parent.name in HELD_OUT_CAPTURES]
    held += photos[::HELD_OUT_EVERY]
    kept_out = set(held)
    return {
        "captures": [path for path in captures if path not in kept_out],
        "photos": [path for path in photos if path not in kept_out],
        "held": held,
    }


def in_order(lists: dict[str, list[Path]], variants: int) -> Iterator[tuple[str, Path, int]]:
    """(list, photo, variant) of every view, most useful first: the captures, then photos in rounds with another variant
    of the captures after each."""
    mixed = [
        path for start in range(7) for path in lists["photos"][start::7]
    ]  # every kind from the first round on
    for path in lists["held"][:: max(1, len(lists["held"]) // 40)]:
        yield "held", path, 0
    rounds = max(variants, -(-len(mixed) // ROUND))
    for number in range(rounds):
        if number < variants:
            for path in lists["captures"]:
                yield "captures", path, number
        for path in mixed[number * ROUND : (number + 1) * ROUND]:
            yield "photos", path, 0
    for variant in range(1, variants):
        for path in mixed:
            yield "photos", path, variant


class ViewMaker:
    """Cuts views and runs both networks on them."""

    def __init__(self, superpoint: Path, teacher: Teacher) -> None:
        self.teacher = teacher
        self.superpoint = load_superpoint(superpoint)

    def make(self, photo: np.ndarray, variant: int, seed: int) -> View:
        """photo: RGB uint8 [h, w, 3]; the same seed gives the same view."""
        random = np.random.default_rng([seed, variant])
        color, valid = cut_view(photo, variant, random)
        gray = torch.from_numpy(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))
        generator = torch.Generator().manual_seed(seed)
        image = gray[None, None].float() / 255
        xy, _, _ = detect(
            self.superpoint, image, torch.from_numpy(valid)[None], KEYPOINTS, generator, bf16=False
        )
        points = torch.cat([xy[0], torch.from_numpy(random_points(valid, RANDOM, random))])
        rgb = torch.from_numpy(np.ascontiguousarray(color.transpose(2, 0, 1))).float() / 255
        return View(gray, points, self.teacher.describe(rgb, points).half(), KEYPOINTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--variants", type=int, default=3, help="views of each photo; the first is it as it is"
    )
    parser.add_argument("--superpoint", type=Path, default=SUPERPOINT)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    maker = ViewMaker(options.superpoint, Teacher())
    for name, path, variant in in_order(photo_lists(options.data), options.variants):
        group = path.parent.name if name != "photos" else path.name.split("_")[0]
        target = options.output / name / group / f"{path.stem}.{variant}.npz"
        if target.exists():
            continue
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise ValueError(f"{path} cannot be read")
        seed = zlib.crc32(f"{path.parent.name}/{path.name}".encode())
        write_view(maker.make(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), variant, seed), target)


if __name__ == "__main__":
    main()

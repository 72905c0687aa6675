"""The parser of `recon3d`: its commands, and the options that are not settings."""

from __future__ import annotations

import argparse
from functools import partial
from typing import NoReturn

from ..alignments.project_files import CAMERA_FORMATS, FORMATS
from ..errors import UserError
from ..exporting.export_options import FACTORS, SIZES
from ..exporting.file_formats import PRESETS, engine_endings
from ..stage import all_stages
from ..system.versions import engine_version
from . import commands, export_command, masks_command, run_command, shard
from .completion import SHELLS
from .exit_codes import BAD_USAGE
from .setting_options import add_settings


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see {self.prog} --help)", BAD_USAGE)


def _factors(text: str) -> tuple[int, ...]:
    factors = tuple(int(word) for word in text.split(",") if word.strip() != "0")
    if any(factor < 2 or factor > 64 for factor in factors):
        raise ValueError
    return factors


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="recon3d", description=("Photos in; cameras, a dense cloud and a textured mesh out.")
    )
    parser.add_argument("--version", action="version", version=f"recon3d {engine_version()}")
    adding = parser.add_subparsers(required=True, metavar="COMMAND")

    run = adding.add_parser("run", help="everything: photos, a folder of them or a video")
    run.add_argument("photos", nargs="*", metavar="PHOTOS", help="a folder, photo files, or a video")
    run.add_argument("-o", "--output", required=True, metavar="OUT", help="the workspace folder")
    run.add_argument(
        "--export",
        metavar="FILE",
        action="append",
        help=f"at the end, write the mesh, the cloud or a picture of it ({', '.join(engine_endings())})",
    )
    add_settings(run, until=True)
    run.set_defaults(command=run_command.run)

    for declared in all_stages():
        name, title = declared.name, declared.title
        stage = adding.add_parser(name, help=f"one stage: {title[0].lower()}{title[1:]}")
        if name == "photos":
            stage.add_argument(
                "photos", nargs="+", metavar="PHOTOS", help="photos if -o is given, otherwise OUT"
            )
            stage.add_argument("-o", "--output", metavar="OUT", help="the workspace folder to create")
        else:
            stage.add_argument("output", metavar="OUT", help="the workspace folder")
        add_settings(stage, until=False)
        if declared.items:
            stage.add_argument(
                "--shard",
                type=shard.part_of,
                metavar="I/N",
                help="do only part I of N; other machines do the other parts, in the same workspace",
            )
        stage.set_defaults(command=run_command.run, only=name)

    bring = adding.add_parser("import", help="use the cameras of another program instead of finding them")
    bring.add_argument("project", metavar="PROJECT", help=f"from {FORMATS}")
    bring.add_argument(
        "--photos",
        dest="folder",
        metavar="DIR",
        help="the project's photos; by default in the project's folder",
    )
    bring.add_argument("-o", "--output", required=True, metavar="OUT", help="the workspace folder")
    add_settings(bring, until=True)
    bring.set_defaults(command=run_command.bring)

    inspect = adding.add_parser("inspect", help="list the photos and estimate the time")
    inspect.add_argument("photos", nargs="*", metavar="PHOTOS", help="a folder, photo files, or a video")
    inspect.add_argument(
        "-o", "--output", metavar="OUT", help="the workspace that will be used; nothing is written"
    )
    add_settings(inspect, until=True)
    inspect.set_defaults(command=commands.inspect)

    export = adding.add_parser(
        "export", help="files for other programs: mesh, cloud, cameras, folders for splats"
    )
    export.add_argument("output", metavar="OUT", help="the workspace folder")
    export.add_argument(
        "export",
        metavar="FILE",
        nargs="+",
        help=f"format by extension: {', '.join(engine_endings())}; none: a folder for Gaussian splatting and NeRF",
    )
    export.add_argument(
        "--cameras",
        metavar="NAME",
        choices=CAMERA_FORMATS,
        help=f"export the cameras: {', '.join(CAMERA_FORMATS)}",
    )
    export.add_argument(
        "--undistorted",
        action="store_true",
        help="export the cameras of the undistorted photos in OUT/dense/images",
    )
    export.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="for a purpose: "
        + "; ".join(f"{name}: {each.description}" for name, each in PRESETS.items() if each.engine),
    )
    export.add_argument(
        "--photos",
        dest="size",
        choices=SIZES,
        default=SIZES[0],
        help="photos in the folder: at full size (default), or as small as for depth maps",
    )
    export.add_argument(
        "--factors",
        type=_factors,
        default=FACTORS,
        metavar="N,N",
        help="factors of the folder's smaller copies, images_N; 0: none; default 2,4,8",
    )
    export.add_argument(
        "--link", action="store_true", help="with --photos depth: hard links to the workspace, not copies"
    )
    export.add_argument(
        "--meshopt", action="store_true", help="a smaller GLB, for viewers that read EXT_meshopt_compression"
    )
    export.add_argument("--json", action="store_true", help="machine-readable output")
    export.set_defaults(command=export_command.export)

    ortho = adding.add_parser(
        "ortho", help="an orthophoto and a height map as GeoTIFF, from the textured mesh"
    )
    ortho.add_argument("output", metavar="OUT", help="the workspace folder, with a texture")
    ortho.add_argument("file", metavar="FILE", help="the .tif file to write; FILE_height.tif comes with it")
    ortho.add_argument(
        "--pixel",
        type=float,
        default=0.0,
        metavar="M",
        help="side of a pixel in meters (as fine as the texture)",
    )
    ortho.add_argument("--json", action="store_true", help="machine-readable output")
    ortho.set_defaults(command=export_command.ortho)

    reproject = adding.add_parser("reproject", help="paint the photos onto any mesh that has UVs")
    reproject.add_argument("output", metavar="OUT", help="the workspace folder, with cameras")
    reproject.add_argument("--mesh", metavar="FILE", required=True, help="an OBJ file with UVs")
    reproject.add_argument("--texture", metavar="FILE", required=True, help="the PNG file to write")
    reproject.add_argument(
        "--texture-size", type=int, default=4096, metavar="N", help="its side in pixels (4096)"
    )
    reproject.add_argument(
        "--frame",
        choices=commands.FRAMES,
        default=commands.FRAMES[0],
        help="the mesh's coordinates: the world's, y up, as export writes them, or the model's",
    )
    reproject.add_argument("--json", action="store_true", help="machine-readable output")
    reproject.set_defaults(command=commands.reproject)

    masks = adding.add_parser("masks", help="what is masked; pictures of it; masks drawn from the model")
    masks.add_argument("output", metavar="OUT", help="the workspace folder")
    masks.add_argument(
        "--pictures", metavar="DIR", help="write a picture of every masked photo with its mask over it"
    )
    masks.add_argument(
        "--from-model",
        action="store_true",
        help="draw the model into the photos, for a run with --masks model",
    )
    masks.add_argument("--json", action="store_true", help="machine-readable output")
    masks.set_defaults(command=masks_command.masks)

    doctor = adding.add_parser("doctor", help="what works on this machine, and how to fix the rest")
    doctor.add_argument("--json", action="store_true", help="machine-readable output")
    doctor.set_defaults(command=commands.doctor)

    worker = adding.add_parser("worker", help="work for runs on other machines, which share work by Dask")
    worker.add_argument("address", metavar="ADDRESS", help="of the Dask scheduler, host:port")
    worker.add_argument("--json", action="store_true", help="errors in machine-readable form")
    worker.set_defaults(command=commands.worker)

    weights = adding.add_parser("weights", help="bundled and downloadable network weights")
    weights.add_argument("action", choices=("list", "fetch"))
    weights.add_argument("name", nargs="?", metavar="NAME", help="what to fetch")
    weights.add_argument(
        "--accept-license", "--accept-licence", action="store_true", help="after reading the license"
    )
    weights.add_argument("--json", action="store_true", help="machine-readable output")
    weights.set_defaults(command=commands.weights)

    pause = adding.add_parser("pause", help="stop a run after its current items; run again to continue")
    pause.add_argument("output", metavar="OUT", help="the workspace folder of a run in progress")
    pause.add_argument("--json", action="store_true", help="machine-readable output")
    pause.set_defaults(command=commands.pause)

    clean = adding.add_parser("clean", help="free disk space: list or remove what can be made again")
    clean.add_argument("output", metavar="OUT", help="the workspace folder")
    clean.add_argument("--yes", action="store_true", help="remove the files; without it they are only listed")
    clean.add_argument("--json", action="store_true", help="machine-readable output")
    clean.set_defaults(command=commands.clean)

    place = adding.add_parser("place", help="scale and heading, from GPS, markers or a number")
    place.add_argument("output", metavar="OUT", help="the workspace folder")
    place.add_argument(
        "--gps", action="store_true", help=("meters, x east and y north, from the photos' EXIF")
    )
    place.add_argument(
        "--marker-size", type=float, metavar="M", help="side of the ArUco markers in view, in meters"
    )
    place.add_argument(
        "--marker-dictionary", default="4X4_50", metavar="D", help="the markers' ArUco dictionary (4X4_50)"
    )
    place.add_argument("--scale", type=float, metavar="S", help="meters per unit of the model")
    place.add_argument("--json", action="store_true", help="print placement.json")
    place.set_defaults(command=commands.place)

    evaluate = adding.add_parser("evaluate", help="errors against ground truth")
    evaluate.add_argument("output", metavar="OUT", help="the workspace folder")
    evaluate.add_argument(
        "--truth", required=True, metavar="DIR", help="true cameras and, if available, surface"
    )
    evaluate.add_argument("--json", action="store_true", help="machine-readable output")
    evaluate.set_defaults(command=commands.evaluate)

    completion = adding.add_parser("completion", help="a shell completion script")
    completion.add_argument("shell", choices=tuple(SHELLS))
    completion.add_argument("--json", action="store_true", help="machine-readable output")
    completion.set_defaults(command=partial(commands.completion, parser))

    man = adding.add_parser("man", help="the man page, for man -l")
    man.add_argument("--json", action="store_true", help="machine-readable output")
    man.set_defaults(command=partial(commands.man, parser))
    return parser

"""Make the demo capture: photos of a statue with the exact cameras and surface they show.

    python demo/render.py --output DIR [--views N] [--width 1200]        (with bpy)
    blender -b --python demo/render.py -- --output DIR                   (with Blender)

A view takes a minute on two cores. Frames that are in DIR/renders already are not rendered again.
"""

import argparse
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))

import materials
import photos
import shapes
import truth


def build() -> None:
    """Build statue, yard, hedge, sun and sky in an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    stone, bronze, rock = materials.limestone(), materials.bronze(), materials.rock()
    shapes.plinth(stone)
    shapes.lettering("RECON3D", bronze)
    shapes.bust(bronze)
    shapes.garland(materials.leaves(), materials.leaves())
    shapes.ammonite(rock)
    shapes.rocks(rock)
    shapes.ground(materials.yard())
    shapes.hedge(materials.foliage())
    materials.sun_and_sky()


def configure(samples: int) -> None:
    """Path tracing on the CPU, denoised with the help of albedo and normals so that texture stays."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, 1
    cycles.use_adaptive_sampling = False
    cycles.max_bounces = cycles.diffuse_bounces = 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes, cycles.denoising_prefilter = "RGB_ALBEDO_NORMAL", "FAST"
    cycles.filter_width = 1.2
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - High Contrast"
    scene.view_settings.exposure = -0.2


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="render.py", description="Render the demo capture and its truth.")
    parser.add_argument("--output", type=Path, required=True, help="folder for photos/, truth/ and renders/")
    parser.add_argument("--views", type=int, default=28)
    parser.add_argument("--width", type=int, default=1200, help="photo width in pixels")
    parser.add_argument("--samples", type=int, default=8, help="samples a pixel")
    parser.add_argument("--quality", type=int, default=76, help="JPEG quality")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the views to render")
    options = parser.parse_args(arguments)
    for name in ("photos", "renders", "truth"):
        (options.output / name).mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    build()
    configure(options.samples)
    print(f"built in {time.monotonic() - began:.1f} s")
    views = photos.make_views(options.views)
    for number, view in enumerate(views):
        if options.only and number + 1 not in options.only:
            continue
        picture = options.output.resolve() / "renders" / Path(view.name).with_suffix(".png").name
        if not picture.exists():
            began = time.monotonic()
            partial = picture.with_name(f"partial_{picture.name}")
            photos.render(view, partial, options.width)
            partial.replace(picture)
            print(f"{view.name}: {time.monotonic() - began:.1f} s", flush=True)
        photo = photos.photograph(photos.read_pixels(picture), options.width, seed=number)
        photos.save_jpeg(photo, options.output.resolve() / "photos" / view.name, options.quality)
    if not options.only:
        began = time.monotonic()
        count = truth.write(views, options.width, options.output / "truth")
        print(f"truth: {count} surface points in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])

"""The README of a folder for training, with the command lines of gsplat and others. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from ..wording import Part, terminal_only

README = "README.md"


def readme(name: str, factors: Sequence[int], masks: bool) -> str:
    """name: the folder's."""
    smaller = ", ".join(f"`images_{factor}`" for factor in factors)
    lines: list[str | Part] = [
        "# Photos, cameras and points for Gaussian splatting and NeRF",
        "",
        "Written by Recon3D. The folder is self-contained: copy it to the machine with the graphics card.",
        "",
        "| | |",
        "|---|---|",
        "| `images` | the photos without lens distortion |",
        *([f"| {smaller} | the same, that many times smaller |"] if factors else []),
        *(
            ["| `masks` | white where a photo may be used; named like the photo, ending in .png |"]
            if masks
            else []
        ),
        "| `sparse/0` | cameras and points, a COLMAP model |",
        "| `transforms.json`, `sparse_pc.ply` | the same cameras and points for nerfstudio and instant-ngp |",
        "| `recon3d.json` | the files written by Recon3D; exporting here again replaces only these |",
        "",
        "From the folder above this one:",
        "",
        "```",
        "# gsplat (in its repository)",
        terminal_only(
            f'python examples/simple_trainer.py default --data_dir "{name}" --data_factor 1 '
            f'--result_dir "{name}/gsplat"'
        ),
        "",
        "# nerfstudio",
        terminal_only(f'ns-train splatfacto --data "{name}"'),
        terminal_only(f'ns-train nerfacto --data "{name}"'),
        terminal_only(
            f'ns-train splatfacto --data "{name}" colmap --colmap-path sparse/0 --downscale-factor 1'
        ),
        "",
        "# the original 3D Gaussian Splatting",
        f'python train.py -s "{name}"',
        "",
        "# instant-ngp",
        f'instant-ngp "{name}"',
        "```",
        "",
    ]
    if factors:
        lines += [
            terminal_only(
                f"To use less memory: gsplat with `--data_factor {factors[0]}`; nerfstudio uses the smaller copies "
                "automatically for photos of more than 1,600 pixels, or with `--downscale-factor`."
            ),
            "",
        ]
    return "\n".join(str(line) for line in lines)

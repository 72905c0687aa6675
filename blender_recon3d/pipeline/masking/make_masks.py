"""The masks of a workspace's photos, as the setting `masks` asks: masks/NAME.png and masks.json."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ..documents.masks_json import MaskOrigin
from ..errors import UserError
from ..events import Progress
from ..files.pictures import read_picture
from ..files.regular import content_hash
from ..files.user_path import user_path
from ..photos.image_files import read_rgb
from ..photos.photo_quality import PhotoInfo
from ..stage_settings import PhotosSettings
from ..wording import Sentence, option
from ..workspace import Workspace
from . import alpha_channel, own_masks
from .backdrop_color import find_backdrop, mask_of
from .earlier_masks import earlier_masks
from .fixed_camera import background_of, runs, subject_before
from .folder_masks import fit_mask, from_folder
from .laid_over import laid_over
from .mask_pixels import is_sensible
from .mask_writer import MaskWriter
from .round_masks import read_rounds
from .salient import check_network, salient

SIZE = 640  # longest side of the pictures that masks are made from
SIZE_OVER = 384  # and of those in which something laid over is looked for
SAMPLES = 40  # photos that are enough to find it
LIKELY = 12  # photos that decide whether there is a screen
NEARLY_ALL = 0.8  # of these
_OPAQUE = ("JPEG", "MPO", "BMP", "RAW", "EXR", "HDR")  # formats that are not opened to look for transparency

SCREEN = "{} photos are taken before a screen of one color, which is left out by masks."
STILL = (
    "The background stands still in {} photos while the subject turns: it is left out of features, depth and texture "
    "by masks."
)
LAID_OVER = (
    "Something is laid over {} photos alike, such as bars, a stamp or a logo: it is left out by masks."
)


def make_masks(
    workspace: Workspace,
    settings: PhotosSettings,
    base: Path,
    photos: dict[str, PhotoInfo],
    progress: Progress,
) -> int:
    """Returns how many photos have a mask. photos: those used, by their names in the workspace. base: their common
    folder. UserError (2) if the setting names files that do not fit."""
    if settings.masks == "off":
        return 0
    writer = MaskWriter(workspace, photos, earlier_masks(workspace, settings.masks, photos))
    _own(workspace, settings, writer, progress)
    make = _MAKERS.get(settings.masks) or _files(settings, base)
    make(writer, progress)
    if settings.masks in _WITH_LAID_OVER:
        writer.put_back()
        _laid_over(writer, progress)
    writer.finish(settings.masks, own_masks.identity(workspace, settings.masks))
    return writer.count


def _own(workspace: Workspace, settings: PhotosSettings, writer: MaskWriter, progress: Progress) -> None:
    rounds = read_rounds(workspace)
    for name, path in own_masks.own_masks(workspace, settings.masks).items():
        if path.parent == workspace.round_masks and rounds is not None:
            if rounds.photos.get(name) != content_hash(workspace.images / name):
                continue  # of another photo that had this name
        if name in writer.photos:
            mask = read_picture(path, cv2.IMREAD_GRAYSCALE) > 127
            painted = path.parent == workspace.painted_masks
            writer.put(
                name, fit_mask(mask, writer.photos[name]), MaskOrigin.PAINTED if painted else MaskOrigin.MODEL
            )


def _automatic(writer: MaskWriter, progress: Progress) -> None:
    _from_alpha(writer)
    some = writer.unmasked
    likely = some[:: max(1, len(some) // LIKELY)]
    screens = [find_backdrop(writer.picture(name, SIZE)).is_screen for name in likely]
    if screens and np.mean(screens) >= NEARLY_ALL:
        _from_color(writer, MaskOrigin.SCREEN, progress)
        progress.info(SCREEN.format(len(some) - len(writer.unmasked)))
    _from_still(writer, progress)


def _alpha(writer: MaskWriter, progress: Progress) -> None:
    if not _from_alpha(writer) and not writer.count:
        _none("None of the photos has transparent pixels", "choose other masks")


def _color(writer: MaskWriter, progress: Progress) -> None:
    todo = writer.unmasked
    if not _from_color(writer, MaskOrigin.COLOR, progress) and not writer.count:
        _none(
            "No backdrop of one color was found: it must reach the edges of the photos on at least three sides",
            "choose other masks",
        )
    _say_missing(todo, writer, "show no backdrop of one color", progress)


def _still(writer: MaskWriter, progress: Progress) -> None:
    todo = writer.unmasked
    if not _from_still(writer, progress) and not writer.count:
        _none(
            "No background that stands still was found: it needs contours along the edges of at least six photos of "
            "one camera that does not move",
            "choose other masks, or give a photo of the empty scene",
        )
    _say_missing(todo, writer, "do not show the same background as those before", progress)


def _by_network(writer: MaskWriter, progress: Progress) -> None:
    check_network()
    todo = writer.unmasked
    for number, name in enumerate(todo):
        progress.update(number, len(todo), "masking")
        mask = salient(writer.picture(name, SIZE))
        if mask is not None and is_sensible(mask):
            writer.put(name, mask, MaskOrigin.NETWORK)
    if not writer.count:
        _none("The network found nothing that stands out in the photos", "choose other masks")
    _say_missing(todo, writer, "show nothing that stands out", progress)


_MAKERS: dict[str, Callable[[MaskWriter, Progress], None]] = {
    "auto": _automatic,
    "alpha": _alpha,
    "still": _still,
    "color": _color,
    "network": _by_network,
    "model": _automatic,  # for the first model, and for photos that it does not place
}
_WITH_LAID_OVER = ("auto", "network", "model")


def _files(settings: PhotosSettings, base: Path) -> Callable[[MaskWriter, Progress], None]:
    path = user_path(settings.mask_files).absolute()

    def run(writer: MaskWriter, progress: Progress) -> None:
        if path.is_dir():
            from_folder(path, base, writer, progress)
        else:
            _from_empty(path, writer, progress)

    return run


def _from_alpha(writer: MaskWriter) -> int:
    count = 0
    for name in writer.unmasked:
        photo = writer.photos[name]
        if photo.plain or photo.side or photo.format in _OPAQUE:
            continue
        try:
            opaque = alpha_channel.opaque_pixels(photo.path)
        except (OSError, ValueError, SyntaxError):  # it could be read a moment ago
            continue
        if opaque is not None and is_sensible(opaque):
            writer.put(name, opaque, MaskOrigin.ALPHA)
            count += 1
    return count


def _from_color(writer: MaskWriter, origin: MaskOrigin, progress: Progress) -> int:
    todo, count = writer.unmasked, 0
    for number, name in enumerate(todo):
        progress.update(number, len(todo), "masking")
        backdrop = find_backdrop(writer.picture(name, SIZE))
        if not backdrop.found:
            continue
        mask = mask_of(backdrop)
        if is_sensible(mask):
            writer.put(name, mask, origin)
            count += 1
    return count


def _from_still(writer: MaskWriter, progress: Progress) -> int:
    names = [name for name in writer.unmasked if writer.photos[name].sketch is not None]
    sketches = [sketch for name in names if (sketch := writer.photos[name].sketch) is not None]
    done = 0
    for run in runs(sketches):
        pictures = [writer.picture(names[number], SIZE) for number in run]
        background, unknown = background_of(pictures)
        masks = [subject_before(picture, background, unknown) for picture in pictures]
        if sum(mask is not None for mask in masks) < NEARLY_ALL * len(run):
            continue  # it is not their background
        for number, mask in zip(run, masks, strict=True):
            progress.update(done, len(names), "masking")
            if mask is not None:
                writer.put(names[number], mask, MaskOrigin.STILL)
                done += 1
    if done:
        progress.info(STILL.format(done))
    return done


def _from_empty(path: Path, writer: MaskWriter, progress: Progress) -> None:
    try:
        empty = cv2.cvtColor(read_rgb(path), cv2.COLOR_RGB2BGR)
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(
            Sentence(f"The photo of the empty scene {path} cannot be read: check ", option("masks"), "."), 2
        ) from error
    todo = writer.unmasked
    for number, name in enumerate(todo):
        progress.update(number, len(todo), "masking")
        picture = writer.picture(name, SIZE)
        background = cv2.resize(empty, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
        mask = subject_before(picture, background)
        if mask is not None:
            writer.put(name, mask, MaskOrigin.EMPTY)
    if not writer.count:
        _none(f"No photo shows the background of {path.name}", "take it from the same place as the others")
    _say_missing(todo, writer, f"do not show the background of {path.name}", progress)


def _laid_over(writer: MaskWriter, progress: Progress) -> None:
    sizes: dict[tuple[int, int], list[str]] = defaultdict(list)
    for name in writer.unmasked:
        sizes[writer.photos[name].width, writer.photos[name].height].append(name)
    for names in sizes.values():
        overlay = laid_over([writer.picture(name, SIZE_OVER) for name in names[:: -(-len(names) // SAMPLES)]])
        if overlay is None:
            continue
        for name in names:
            writer.hide(name, overlay, MaskOrigin.LAID_OVER)
        progress.info(LAID_OVER.format(len(names)))


def _none(why: str, remedy: str) -> None:
    raise UserError(Sentence(f"{why}: {remedy} (", option("masks"), ")."), 2)


def _say_missing(todo: list[str], writer: MaskWriter, why: str, progress: Progress) -> None:
    missing = [writer.photos[name].path.name for name in writer.unmasked if name in set(todo)]
    if missing:
        shown = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        progress.warning(f"{len(missing)} photos {why} and are used unmasked: {shown}.")

"""`recon3d inspect`: what a folder of photos contains, before anything is computed or written.

How many photos, from which cameras, which will be excluded and why, and a forecast of time, memory and disk.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from .documents.inspection_json import Forecast, InspectedCamera, InspectionDocument, UnfitPhoto
from .documents.photos_json import CameraEntry, PhotoEntry, RigEntry
from .errors import UserError
from .events import Progress
from .files.full_disk import free_bytes
from .job_forecast import forecast_job, memory
from .photos.camera_groups import group_cameras
from .photos.camera_rigs import camera_rigs, mark_shots
from .photos.find_photos import MIN_PHOTOS, common_folder, look_for, none_found
from .photos.left_out import missing_packages, notes, pictures_left
from .photos.panorama_views import SIDES
from .photos.photo_entries import examine_all, photo_entries, reading_bytes
from .photos.photo_quality import set_aside
from .photos.photo_sources import changes
from .settings import QUALITIES, JobSettings
from .stage import up_to
from .stage_settings import PhotosSettings
from .system.memory import memory_gb
from .text import duration, named, printable
from .workspace import Workspace

PANORAMA = "views of 360-degree panoramas"
USUAL = 20  # photos; fewer seldom cover a subject all around
HD = (1920, 1080)  # assumed size of a video's frames before they are extracted


def inspect_photos(settings: JobSettings, progress: Progress, exclude: Path) -> InspectionDocument:
    """The findings; the first event gives the number of files.

    exclude: a workspace whose photos do not count. Raises UserError when a path does not exist, or Cancelled.
    """
    own = settings.of(PhotosSettings)
    listed = look_for(own.sources, exclude, own.mask_files)
    files, videos, left_out = listed.photos, listed.videos, notes(listed)
    progress.info(count_sentence(len(files), len(videos)), photos=len(files), videos=len(videos))
    if not files and not videos:
        unread = [note.text for note in left_out if note.weighty]
        raise UserError(" ".join([none_found(own.sources), *unread]), 2)
    photos = examine_all(files, progress)
    set_aside(photos, own.keep_blurred, own.keep_copies)
    base = common_folder(files) if files else Path()
    taken: set[str] = set()
    entries = [entry for own in photo_entries(photos, base, taken) for entry in own]
    if own.grouping != "single":
        entries = mark_shots(entries, own.sources)
    entries, grouped = group_cameras(entries, own, progress)
    rigs = camera_rigs(entries, own.sources)
    used = [entry for entry in entries if entry.used]
    cameras = [_camera(camera, used) for camera in grouped]
    sizes = [(entry.width, entry.height) for entry in used] + [HD] * (len(videos) * own.frames)
    progress.emit("progress", "measuring this machine")
    forecasts = {
        quality: _of_all_passes(
            forecast_job(sizes, settings.changed(quality=quality), reading_bytes(sizes)), settings
        )
        for quality in QUALITIES
    }
    return InspectionDocument(
        photos=len(files),
        used=sum(not photo.reason for photo in photos),
        videos=len(videos),
        set_aside=[
            UnfitPhoto(photo=str(photo.path), reason=photo.reason) for photo in photos if photo.reason
        ],
        cameras=cameras,
        advice=[
            *(note.text for note in left_out),
            *filter(None, [pictures_left(photo for photo in photos if not photo.reason)]),
            *change_advice(*changes(Workspace(exclude), own)),
            *panorama_advice(sum(photo.panorama and not photo.reason for photo in photos)),
            *advice(len(used), bool(videos), len([camera for camera in cameras if camera.name != PANORAMA])),
            *rig_advice(rigs, entries),
            *memory_advice(memory(forecasts[settings.quality], settings.until), memory_gb()[0], sizes),
            *disk_advice(forecasts[settings.quality].disk, free_bytes(exclude), settings.until),
        ],
        packages=missing_packages(listed),
        quality=settings.quality,
        until=settings.until,
        forecasts=forecasts,
    )


def _of_all_passes(forecast: Forecast, settings: JobSettings) -> Forecast:
    """The forecast of a job that may run twice: without masks, and with those from its model."""
    if settings.of(PhotosSettings).masks != "model" or "dense" not in up_to(settings.until):
        return forecast
    return replace(forecast, seconds={name: 2 * seconds for name, seconds in forecast.seconds.items()})


def count_sentence(photos: int, videos: int) -> str:
    """28 photos; 1 video; 3 photos and 2 videos."""
    words = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((photos, "photo"), (videos, "video")) if n]
    return " and ".join(words) or "no photos"


def advice(used: int, videos: bool, cameras: int) -> list[str]:
    """What the user may want to change before starting."""
    sentences = []
    if not videos and used < MIN_PHOTOS:
        photos = f"{used} photo{'s' * (used != 1)}"
        sentences.append(f"{photos} can be used, but at least {MIN_PHOTOS} are needed: add more.")
    elif not videos and used < USUAL:
        sentences.append(f"{used} photos cover one side of a subject; walking all around it takes 30 to 60.")
    if cameras > max(4, used // 3):
        sentences.append(
            f"The photos come from {cameras} cameras or zoom settings: one camera with a fixed zoom is better."
        )
    return sentences


def change_advice(new: list[str], gone: list[str]) -> list[str]:
    """A sentence if the results folder has a run with other photos. new, gone: their names."""
    parts = [
        f"{len(names)} photo{'s' * (len(names) != 1)} {'are' if len(names) != 1 else 'is'} {what} ({named(names)})"
        for names, what in ((new, "new"), (gone, "gone"))
        if names
    ]
    if not parts:
        return []
    return [f"Since the last run, {' and '.join(parts)}: what does not change for the others is kept."]


def panorama_advice(count: int) -> list[str]:
    """A sentence if there are 360-degree panoramas."""
    return [f"{count} of the photos are 360-degree panoramas: each is cut into {len(SIDES)} views."] * bool(
        count
    )


def rig_advice(rigs: list[RigEntry], entries: list[PhotoEntry]) -> list[str]:
    """A sentence for each possible rig of cameras."""
    sentences = []
    for rig in rigs:
        cameras = [sensor.camera for sensor in rig.sensors]
        names = sorted({entry.sensor.rstrip("/") for entry in entries if entry.camera in cameras})
        sentences.append(
            f"{', '.join(names[:-1])} and {names[-1]} have photos of the same names: if their cameras turn out to be "
            "fixed to each other, they are a rig."
        )
    return sentences


def memory_advice(needed: int, installed: float, sizes: list[tuple[int, int]]) -> list[str]:
    """A sentence if the machine lacks the memory. needed: bytes; installed: GB; sizes: (width, height) in pixels."""
    if needed <= installed * 2**30:
        return []
    largest = max((width * height for width, height in sizes), default=0) / 1e6
    return [
        f"This needs up to {needed / 2**30:.1f} GB of memory and the machine has {installed:.1f} GB: close other "
        f"programs, choose preview quality, or scale the photos down (the largest has {largest:.0f} megapixels)."
    ]


def disk_advice(needed: int, free: int, until: str) -> list[str]:
    """A sentence if a job with depth maps does not fit on the results' disk. needed, free: bytes."""
    if "dense" not in up_to(until) or needed <= free:
        return []
    return [
        f"This needs about {needed / 2**30:.1f} GB of disk and {free / 2**30:.1f} GB are free where the results go: "
        "free some space, choose another results folder, or choose preview quality."
    ]


def _camera(camera: CameraEntry, used: list[PhotoEntry]) -> InspectedCamera:
    members = [entry for entry in used if entry.camera == camera.id]
    makers = Counter(PANORAMA if entry.side else _name(entry) for entry in members)
    return InspectedCamera(
        name=makers.most_common(1)[0][0] or "unknown camera",
        photos=len(members),
        width=camera.width,
        height=camera.height,
        focal_mm=next((entry.focal_mm for entry in members if entry.focal_mm), None),
        prior=camera.prior,
    )


def _name(entry: PhotoEntry) -> str:
    make, model = entry.make.strip(), entry.model.strip()
    return model if model.casefold().startswith(make.casefold()) else f"{make} {model}".strip()


def describe(document: InspectionDocument) -> str:
    """The findings for a terminal."""
    lines = [f"{count_sentence(document.photos, document.videos)}, {document.used} used"]
    for camera in document.cameras:
        focal = f", {camera.focal_mm:g} mm" if camera.focal_mm else ""
        lines.append(f"  {camera.photos:>4} x {camera.name}{focal}, {camera.width} x {camera.height} pixels")
    lines += [f"  excluded: {Path(item.photo).name}: {item.reason}" for item in document.set_aside]
    forecast = document.forecasts[document.quality]
    asked = up_to(document.until)
    seconds = {stage: forecast.seconds.get(stage, 0.0) for stage in asked}
    parts = ", ".join(f"{stage} {duration(value)}" for stage, value in seconds.items() if value >= 1)
    lines.append(f"about {duration(sum(seconds.values()))} ({parts})")
    peak = memory(forecast, document.until) / 2**30
    lines.append(f"up to {peak:.1f} GB of memory, {forecast.disk / 2**30:.1f} GB of disk")
    lines += [f"note: {sentence}" for sentence in document.advice]
    return "\n".join(printable(line) for line in lines)

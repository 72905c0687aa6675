"""Which photos to match with which: pairs.txt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..alignments.project_files import has_tracks
from ..documents.photos_json import PhotoEntry
from ..earlier_work import same_photos
from ..errors import UserError
from ..events import Progress
from ..files.json_values import MAX_BYTES
from ..files.regular import read_regular
from ..files.user_path import recorded_path, user_path
from ..job_forecast import Facts, by_retrieval
from ..models.front_ends import has_weights, retriever_of, weights_identity
from ..stage import Stage
from ..stage_settings import PairsSettings
from ..wording import Sentence, use
from ..workspace import Workspace

if TYPE_CHECKING:
    from ..matching import pairing
    from ..matching.encoded import Encoded

WAYS = ("auto", "exhaustive", "sequential", "retrieval")
MAX_PAIRS_UNADVISED = 5000  # with more, exhaustive matching gives a warning


def inputs(workspace: Workspace, settings: PairsSettings) -> Any:
    if settings.strategy not in WAYS:
        return _read_file(Path(settings.strategy))
    network = retriever_of(settings.front_end)
    if settings.strategy == "retrieval" or (
        settings.strategy == "auto" and has_weights(network, settings.weights)
    ):
        return weights_identity(network, settings.weights)
    return ""


def run(workspace: Workspace, settings: PairsSettings, progress: Progress) -> dict[str, Any]:
    from ..colmap.database import write_pairs

    photos = workspace.used_photos()
    way = settings.strategy
    if way not in WAYS:
        pairs = _from_file(Path(way), photos, progress)
        way = "file"
    else:
        if way == "auto":
            way = _choose(len(photos), settings, progress)
        pairs = _make(way, workspace, photos, settings, progress)
        pairs = [pair for pair in pairs if not _cut_from_one(photos[pair[0]], photos[pair[1]])]
        pairs = _with_earlier(workspace, [photo.name for photo in photos], pairs)
    names = [photo.name for photo in photos]
    write_pairs(workspace.pairs, ((names[first], names[second]) for first, second in pairs))
    return {"message": f"{len(pairs)} pairs ({way})", "pairs": len(pairs), "way": way}


def _cut_from_one(photo: PhotoEntry, other: PhotoEntry) -> bool:
    """Whether two photos are views of one panorama, which have no distance between them."""
    return bool(photo.side and other.side) and photo.shot == other.shot


def _choose(count: int, settings: PairsSettings, progress: Progress) -> str:
    """Exhaustive if that gives no more pairs than retrieval, else retrieval if its weights are available."""
    everything = count * (count - 1) // 2
    if everything <= count * settings.neighbors:
        return "exhaustive"
    network = retriever_of(settings.front_end)
    if has_weights(network, settings.weights):
        return "retrieval"
    if everything > MAX_PAIRS_UNADVISED:
        progress.warning(
            Sentence(
                f"Without weights for {network.title} all {everything} pairs of {count} photos are matched, "
                "which takes long: ",
                use("pairs", "sequential"),
                " if the photos were taken in sequence along a path.",
            )
        )
    return "exhaustive"


def _make(
    way: str, workspace: Workspace, photos: list[PhotoEntry], settings: PairsSettings, progress: Progress
) -> list[pairing.Pair]:
    from ..matching import pairing

    count = len(photos)
    if way == "exhaustive":
        return pairing.exhaustive(count)
    if way == "sequential":
        return pairing.sequential(count, settings.window)
    vectors = _encode(workspace, photos, settings, progress)
    return pairing.retrieval(pairing.SimilarityOf(vectors.descriptors), settings.neighbors)


def _encode(
    workspace: Workspace, photos: list[PhotoEntry], settings: PairsSettings, progress: Progress
) -> Encoded:
    from ..matching import encoded
    from ..photos.image_files import read_gray, read_rgb

    same = same_photos(workspace, "pairs")
    earlier = encoded.load(Workspace(workspace.earlier).photo_descriptors) if same else None
    readable = encoded.Photos(
        [photo.name for photo in photos],
        lambda name: read_gray(workspace.images / name),
        lambda name: read_rgb(workspace.images / name),
    )
    retriever = retriever_of(settings.front_end).open(settings)
    vectors = encoded.encode(readable, retriever.encode, progress, earlier, same)
    vectors.save(workspace.photo_descriptors)
    return vectors


def _with_earlier(workspace: Workspace, names: list[str], pairs: list[pairing.Pair]) -> list[pairing.Pair]:
    """The pairs of photos that are new, and the earlier ones of those that are not: between these nothing changed."""
    from ..colmap.database import read_pairs

    same = same_photos(workspace, "pairs")
    path = Workspace(workspace.earlier).pairs
    if not same or not path.exists():
        return pairs
    place = {name: number for number, name in enumerate(names)}
    now = {before: place[name] for name, before in same.items() if name in place}
    earlier = {
        (min(now[a], now[b]), max(now[a], now[b])) for a, b in read_pairs(path) if a in now and b in now
    }
    stay = set(now.values())
    return sorted(earlier | {pair for pair in pairs if not stay.issuperset(pair)})


def forecast(facts: Facts) -> float:
    """The retrieval network sees every photo at the same small size."""
    return 0.06 * facts.photos if by_retrieval(facts.photos, facts.settings) else 0.0


def set_aside(workspace: Workspace, folder: Path) -> None:
    for path in (workspace.pairs, workspace.photo_descriptors):
        if path.exists():
            path.replace(folder / path.name)


def _read_file(path: Path) -> list[list[str]]:
    try:
        # Names of files need not be UTF-8.
        lines = read_regular(user_path(path), MAX_BYTES).decode("utf-8", "surrogateescape").splitlines()
    except OSError as error:
        raise UserError(
            f"The list of pairs {path} cannot be read ({error.strerror}): give {', '.join(WAYS)}, or a text "
            "file with two names per line.",
            2,
        ) from error
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


def _from_file(path: Path, photos: list[PhotoEntry], progress: Progress) -> list[pairing.Pair]:
    """Pairs by the workspace's names or the photos' own; lines with unknown names are skipped with a warning."""
    by_name = {photo.name: index for index, photo in enumerate(photos)}
    for index, photo in enumerate(photos):
        by_name.setdefault(recorded_path(photo.source).name, index)
    pairs = set()
    unknown = []
    for number, words in enumerate(_read_file(path), 1):
        indices = [by_name.get(word) for word in words]
        if len(indices) != 2 or None in indices or indices[0] == indices[1]:
            unknown.append(number)
            continue
        first, second = sorted(index for index in indices if index is not None)
        pairs.add((first, second))
    if unknown:
        lines = ", ".join(str(number) for number in unknown[:5]) + (" ..." if len(unknown) > 5 else "")
        progress.warning(
            f"{path}: {len(unknown)} lines skipped, since they do not name two photos in use (line {lines})."
        )
    if not pairs:
        raise UserError(f"{path} has no pair of photos in use: write two names per line.", 2)
    return sorted(pairs)


STAGE = Stage(
    name="pairs",
    title="Choosing pairs",
    makes="Pairs",
    version=1,
    needs=("photos",),
    settings=PairsSettings,
    # The front-end matters only by its retriever's weights, which are among the inputs.
    not_in_fingerprint=frozenset({"device", "features"}),
    inputs=inputs,
    run=run,
    owns=lambda workspace: (workspace.pairs, workspace.photo_descriptors),
    leaves=lambda workspace: (workspace.pairs,),
    set_aside=set_aside,
    grows_with=("pairs",),
    left_out=lambda settings: has_tracks(settings.alignment),
    forecast=forecast,
)

"""What a network says of itself, and what the stages ask of one. Loads neither torch nor pycolmap.

A front-end is three of them (`front_ends`): a retriever tells which photos look alike, an extractor finds keypoints, a
matcher finds which keypoints of two photos are the same. Each is declared as `NETWORK` in a module of its own in
`networks`; what the declaration names is imported only when it is called. COLMAP's SIFT and its matcher are declared in
the same way: they have no weights and no choice of arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ..events import Progress
    from ..workspace import Workspace

Names = tuple[str, str]  # of the photos of a pair


# -- what the stages ask ----------------------------------------------------------------------------


@dataclass(frozen=True)
class ExtractionJob:
    """names: of the photos, in their order; read_gray: a picture's file as uint8 [H, W]."""

    workspace: Workspace
    names: list[str]
    read_gray: Callable[[Path], np.ndarray]
    progress: Progress


@dataclass(frozen=True)
class MatchingJob:
    """pairs: those still to match, of `total`; block_list: a file that COLMAP reads pairs from; verification: COLMAP's
    TwoViewGeometryOptions."""

    workspace: Workspace
    pairs: list[Names]
    total: int
    block_list: Path
    verification: Any
    progress: Progress


class Retriever(Protocol):
    def encode(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Descriptors float32 [N, D] of length 1 of RGB photos, uint8 [H, W, 3] each, of any sizes: the larger the
        product of two, the more the photos are alike."""


class Extractor(Protocol):
    def remove_torn(self, job: ExtractionJob) -> bool:
        """Remove what a run before has left torn. True where the photos' features have to be found again though the
        database may hold some of them, and so has to be made again."""

    def extract(self, job: ExtractionJob) -> None:
        """Write keypoints and descriptors of every photo into the database; photos that have theirs are passed over."""


class Matcher(Protocol):
    def match(self, job: MatchingJob) -> None:
        """Write the pairs' matches into the database, verified; those that it holds already are only verified."""


# -- what a network says ----------------------------------------------------------------------------


@dataclass(frozen=True)
class WeightsEntry:
    """One file of weights.

    name: what the user calls it; set: "bundled", "official" or "imagenet"; network: which layout it has, the name of
    a `WeightsFile`; terms: where the license can be read; sha256 and url: None when not known before the file is
    there (bundled ones carry it in the card beside them) and when it cannot be fetched.
    """

    name: str
    set: str
    network: str
    license: str
    commercial_use: bool
    file_name: str
    sha256: str | None = None
    url: str | None = None
    terms: str = ""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights that a network needs.

    name: of the file, NAME.safetensors, and of the layout; empty_network: the network without memory for its
    parameters that the file's tensors fit, for their names and shapes; published: the same network's weights that can
    be fetched.
    """

    name: str
    empty_network: Callable[[Mapping[str, torch.Tensor]], torch.nn.Module]
    published: tuple[WeightsEntry, ...] = ()


@dataclass(frozen=True)
class Descriptors:
    """kind: descriptors of different kinds cannot be compared; size: numbers a keypoint."""

    kind: str
    size: int


@dataclass(frozen=True)
class Network:
    """name: how front-ends call it; title: what people call it; settings: the names of those that `open` reads;
    weights: the files it needs; precisions: what it can be told to compute in, none where it has no choice;
    same_in_bf16: whether bf16 gives the same with these weights (as `registry.find` takes them) on this device."""

    name: str
    title: str
    settings: tuple[str, ...]
    weights: tuple[WeightsFile, ...] = ()
    precisions: tuple[str, ...] = ()
    same_in_bf16: Callable[[str, torch.device], bool] | None = None


@dataclass(frozen=True, kw_only=True)
class RetrieverNetwork(Network):
    """open: the retriever, from the settings of the stage `pairs`. UserError without weights or such a device."""

    open: Callable[[Any], Retriever]


@dataclass(frozen=True, kw_only=True)
class ExtractorNetwork(Network):
    """open: the extractor, from the settings of the stage `features`. UserError as above.
    descriptors: what it gives; max_keypoints: of a photo, where the settings say 0; effort: see `job_forecast`, a
    megapixel."""

    open: Callable[[Any], Extractor]
    descriptors: Descriptors
    max_keypoints: int
    effort: float


@dataclass(frozen=True, kw_only=True)
class MatcherNetwork(Network):
    """open: the matcher, from the settings of the stage `matches`. UserError as above.
    descriptors: what it takes; min_inliers and max_error: fewest verified
    matches of a pair and largest epipolar error of one, pixels, where the settings say 0; first_look:
    fewest matches of a pair's strongest keypoints that must agree for it to be worth all of them (`first_look`), 0
    where they do not tell; effort: see `job_forecast`, a pair; growth: the power of the number of keypoints that it
    grows with."""

    open: Callable[[Any], Matcher]
    descriptors: Descriptors
    min_inliers: int
    max_error: float
    first_look: int = 0
    effort: float
    growth: int

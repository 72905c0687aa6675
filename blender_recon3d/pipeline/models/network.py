"""What a network declares about itself, and the interfaces that the stages use. Loads neither torch nor pycolmap.

A front-end consists of three networks (`front_ends`): a retriever finds similar photos, an extractor finds keypoints, a
matcher finds which keypoints of two photos correspond. Each is declared as `NETWORK` in its own module in `networks`;
what the declaration names is imported only when it is called. COLMAP's SIFT and its matcher are declared in the same
way: they have no weights and no choice of arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch

    from ..colmap.pair_blocks import Plan
    from ..events import Progress
    from ..workspace import Workspace

Names = tuple[str, str]  # the photos of a pair


# -- interfaces for the stages ----------------------------------------------------------------------


@dataclass(frozen=True)
class ExtractionJob:
    """names: of the photos, in order; read_gray: reads an image file as uint8 [H, W]."""

    workspace: Workspace
    names: list[str]
    read_gray: Callable[[Path], np.ndarray]
    progress: Progress


@dataclass(frozen=True)
class MatchingJob:
    """pairs: those still to match, of `total`; block_list: a file from which COLMAP reads pairs; verification: COLMAP's
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
        product of two, the more similar the photos."""


class Extractor(Protocol):
    def remove_torn(self, job: ExtractionJob) -> bool:
        """Remove incomplete results of an earlier run. True if the photos' features must be found again although the
        database may have some of them, so that it must be rebuilt."""

    def extract(self, job: ExtractionJob) -> None:
        """Write keypoints and descriptors of every photo into the database; photos that have them already are
        skipped."""

    def prepare(self, job: ExtractionJob) -> None:
        """Decide and write down what depends on all photos, before some of them are extracted alone."""

    def done(self, job: ExtractionJob) -> set[str]:
        """The job's photos that have their features."""

    def extract_some(self, job: ExtractionJob, into: Workspace) -> None:
        """Write the features of the job's photos into an empty folder that mirrors the workspace (`work_items`)."""


class Matcher(Protocol):
    def match(self, job: MatchingJob) -> None:
        """Write the pairs' verified matches into the database; existing ones are only verified."""

    def plan(self, job: MatchingJob) -> Plan:
        """The blocks of the step that is next, of all the job's pairs."""

    def match_block(self, job: MatchingJob) -> None:
        """Match one block of that plan, as `match` would."""


# -- declarations of networks -----------------------------------------------------------------------


@dataclass(frozen=True)
class WeightsEntry:
    """One file of weights.

    name: the user's name for it; set: "bundled", "official" or "imagenet"; network: its layout, the name of a
    `WeightsFile`; terms: where to read the license; sha256 and url: None if not known before the file exists (bundled
    ones have it in their card) and if it cannot be fetched.

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

    name: of the file, NAME.safetensors, and of the layout; empty_network: a network without memory for its parameters
    that fits the file's tensors, for their names and shapes; published: weights of the same network that can be
    fetched.

    """

    name: str
    empty_network: Callable[[Mapping[str, torch.Tensor]], torch.nn.Module]
    published: tuple[WeightsEntry, ...] = ()


@dataclass(frozen=True)
class Descriptors:
    """kind: descriptors of different kinds cannot be compared; size: numbers per keypoint."""

    kind: str
    size: int


@dataclass(frozen=True)
class Network:
    """name: its name in front-ends; title: its name for people; settings: the names of the settings that `open` reads;
    weights: the files it needs; precisions: those it supports, empty if it has no choice; same_in_bf16: whether bf16
    gives the same results with these weights (see `registry.find`) on this device."""

    name: str
    title: str
    settings: tuple[str, ...]
    weights: tuple[WeightsFile, ...] = ()
    precisions: tuple[str, ...] = ()
    same_in_bf16: Callable[[str, torch.device], bool] | None = None


@dataclass(frozen=True, kw_only=True)
class RetrieverNetwork(Network):
    """open: creates the retriever from the settings of the stage `pairs`. UserError without weights or the device."""

    open: Callable[[Any], Retriever]


@dataclass(frozen=True, kw_only=True)
class ExtractorNetwork(Network):
    """open: creates the extractor from the settings of the stage `features`. UserError as above. descriptors: the kind
    it computes; max_keypoints: per photo, if the setting is 0; effort: see `job_forecast`, per megapixel."""

    open: Callable[[Any], Extractor]
    descriptors: Descriptors
    max_keypoints: int
    effort: float


@dataclass(frozen=True, kw_only=True)
class MatcherNetwork(Network):
    """open: creates the matcher from the settings of the stage `matches`. UserError as above. descriptors: the kind it
    needs; min_inliers and max_error: minimum number of verified matches of a pair and maximum epipolar error of one in
    pixels, if the settings are 0; first_look: minimum number of agreeing matches of a pair's strongest keypoints for it
    to be matched with all of them (`first_look`), 0 if they do not tell; effort: see `job_forecast`, per pair; growth:
    the exponent of the number of keypoints in the effort."""

    open: Callable[[Any], Matcher]
    descriptors: Descriptors
    min_inliers: int
    max_error: float
    first_look: int = 0
    effort: float
    growth: int

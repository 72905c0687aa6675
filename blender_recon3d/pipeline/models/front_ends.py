"""The front-ends: which networks find pairs, keypoints and matches together. Standard library only.

This table is the only list of them: the setting `features` takes their names, and the stages open their networks.
"""

from __future__ import annotations

from dataclasses import dataclass

from .network import ExtractorNetwork, MatcherNetwork, Network, RetrieverNetwork
from .networks import extractor, matcher, retriever
from .registry import identity, is_available


@dataclass(frozen=True)
class FrontEnd:
    """name: the setting's value; number: stored in .blend files, so it never changes; title, text: label and
    description; the others: names of networks (`networks`)."""

    name: str
    number: int
    title: str
    text: str
    retriever: str
    extractor: str
    matcher: str


# The default is the first whose weights are all available; the last needs none.
FRONT_ENDS = (
    FrontEnd(
        "combined",
        4,
        "Combined",
        "SIFT on all pairs, and LightGlue where SIFT finds too little",
        "efficientnet_b0",
        "sift_and_aliked",
        "sift_and_lightglue",
    ),
    FrontEnd(
        "learned",
        1,
        "Learned",
        "SuperPoint and SuperGlue, which match wider baselines",
        "efficientnet_b0",
        "superpoint",
        "superglue",
    ),
    FrontEnd(
        "superpoint-lightglue",
        3,
        "SuperPoint and LightGlue",
        "SuperPoint's keypoints with descriptors like ALIKED's, matched by LightGlue",
        "efficientnet_b0",
        "superpoint_aliked",
        "lightglue",
    ),
    FrontEnd(
        "sift",
        2,
        "SIFT",
        "COLMAP's, with finer keypoints for easy captures",
        "efficientnet_b0",
        "sift",
        "sift_matcher",
    ),
)
NAMES = tuple(front_end.name for front_end in FRONT_ENDS)


def front_end(name: str) -> FrontEnd:
    return next(each for each in FRONT_ENDS if each.name == name)


def retriever_of(name: str) -> RetrieverNetwork:
    return retriever(front_end(name).retriever)


def extractor_of(name: str) -> ExtractorNetwork:
    return extractor(front_end(name).extractor)


def matcher_of(name: str) -> MatcherNetwork:
    return matcher(front_end(name).matcher)


def default(weights: str) -> str:
    """The name of the default front-end; weights: as in `registry.find`."""
    return next((name for name in NAMES if is_complete(name, weights)), NAMES[-1])


def is_complete(name: str, weights: str) -> bool:
    """Whether all weights of a front-end are available; False for a name that is none."""
    return name in NAMES and all(
        has_weights(part, weights) for part in (retriever_of(name), extractor_of(name), matcher_of(name))
    )


def precisions(name: str) -> tuple[str, ...]:
    """The precisions that both a front-end's extractor and matcher support; empty if they have no choice."""
    offered = matcher_of(name).precisions
    return tuple(each for each in extractor_of(name).precisions if each in offered)


def has_weights(network: Network, weights: str) -> bool:
    """Whether all its files of weights are available."""
    return all(is_available(file.name, weights) for file in network.weights)


def weights_identity(network: Network, weights: str) -> str:
    """Identifies a network's files of weights; empty for a network that needs none. UserError if one is missing."""
    return " ".join(identity(file.name, weights) for file in network.weights)

"""The front-ends: which networks find pairs, keypoints and matches together. Standard library only.

This table is all there is to list them: the setting `features` takes their names, the stages open what they name.
"""

from __future__ import annotations

from dataclasses import dataclass

from .network import ExtractorNetwork, MatcherNetwork, Network, RetrieverNetwork
from .networks import extractor, matcher, retriever
from .registry import identity, is_available


@dataclass(frozen=True)
class FrontEnd:
    """name: the setting's value; number: what .blend files keep of it, and so never changed; title, text: what it is
    called and what it is; the others: names of networks (`networks`)."""

    name: str
    number: int
    title: str
    text: str
    retriever: str
    extractor: str
    matcher: str


# The first whose weights are all there is the one that is taken where none is asked for; the last needs none.
FRONT_ENDS = (
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
        "combined",
        4,
        "Combined",
        "SIFT on all pairs, and LightGlue where SIFT finds too little",
        "efficientnet_b0",
        "sift_and_aliked",
        "sift_and_lightglue",
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
    """The name of the front-end to take where none is asked for; weights: as `registry.find` takes them."""
    for each in FRONT_ENDS:
        parts = (retriever_of(each.name), extractor_of(each.name), matcher_of(each.name))
        if all(has_weights(part, weights) for part in parts):
            return each.name
    return FRONT_ENDS[-1].name


def precisions(name: str) -> tuple[str, ...]:
    """What a front-end's extractor and matcher can both be told to compute in; none where they have no choice."""
    offered = matcher_of(name).precisions
    return tuple(each for each in extractor_of(name).precisions if each in offered)


def has_weights(network: Network, weights: str) -> bool:
    """Whether all the files it needs are there."""
    return all(is_available(file.name, weights) for file in network.weights)


def weights_identity(network: Network, weights: str) -> str:
    """What tells its files of weights from others; empty for a network that needs none. UserError where one is not
    there."""
    return " ".join(identity(file.name, weights) for file in network.weights)

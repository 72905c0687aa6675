"""The networks: one module each, which says as `NETWORK` what it is (`..network`) and how it is opened.

To add one, write its module and name it here, then use it in a front-end (`..front_ends`). The modules are imported by
name, and themselves import torch and pycolmap only inside functions: all of them are read wherever settings are.
"""

from __future__ import annotations

import importlib
from functools import cache

from ..network import ExtractorNetwork, MatcherNetwork, Network, RetrieverNetwork

MODULES = (
    "superpoint_extractor",
    "superglue_matcher",
    "sift_extractor",
    "sift_matcher",
    "aliked_extractor",
    "lightglue_matcher",
    "combined_extractor",
    "combined_matcher",
    "efficientnet_retriever",
)


@cache
def networks() -> dict[str, Network]:
    """All of them, by name."""
    found = [importlib.import_module(f".{name}", __package__).NETWORK for name in MODULES]
    return {network.name: network for network in found}


def retriever(name: str) -> RetrieverNetwork:
    found = networks()[name]
    assert isinstance(found, RetrieverNetwork)
    return found


def extractor(name: str) -> ExtractorNetwork:
    found = networks()[name]
    assert isinstance(found, ExtractorNetwork)
    return found


def matcher(name: str) -> MatcherNetwork:
    found = networks()[name]
    assert isinstance(found, MatcherNetwork)
    return found

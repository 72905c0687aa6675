"""The networks, one module each, declared as `NETWORK` (`..network`).

To add one, write its module, then use it in a front-end (`..front_ends`). The modules import torch and pycolmap only
inside functions, since all of them are imported wherever settings are.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ..network import ExtractorNetwork, MatcherNetwork, Network, RetrieverNetwork


@cache
def networks() -> dict[str, Network]:
    """All networks, by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    declared = [importlib.import_module(f".{name}", __package__).NETWORK for name in names]
    return {network.name: network for network in declared}


def retriever(name: str) -> RetrieverNetwork:
    network = networks()[name]
    assert isinstance(network, RetrieverNetwork)
    return network


def extractor(name: str) -> ExtractorNetwork:
    network = networks()[name]
    assert isinstance(network, ExtractorNetwork)
    return network


def matcher(name: str) -> MatcherNetwork:
    network = networks()[name]
    assert isinstance(network, MatcherNetwork)
    return network

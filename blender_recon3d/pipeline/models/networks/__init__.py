"""The networks: one module each, which says as `NETWORK` what it is (`..network`) and how it is opened.

To add one, write its module, then use it in a front-end (`..front_ends`). The modules import torch and pycolmap only
inside functions: all of them are read wherever settings are.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ..network import ExtractorNetwork, MatcherNetwork, Network, RetrieverNetwork


@cache
def networks() -> dict[str, Network]:
    """All of them, by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found = [importlib.import_module(f".{name}", __package__).NETWORK for name in names]
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

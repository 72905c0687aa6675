"""The published weights of SuperPoint and SuperGlue, which are not free: fetched only on request."""

from __future__ import annotations

from .network import WeightsEntry

LICENSE = "Magic Leap, non-commercial research only"
TERMS = "https://github.com/magicleap/SuperGluePretrainedNetwork/blob/master/LICENSE"
_FILES = "https://github.com/magicleap/SuperGluePretrainedNetwork/raw/master/models/weights/"


def published(name: str, network: str, file_name: str, sha256: str) -> WeightsEntry:
    return WeightsEntry(
        name, "official", network, LICENSE, False, file_name, sha256, _FILES + file_name, TERMS
    )

"""Map coordinates of a model placed by GPS: UTM on WGS 84, by Krueger's series.

Karney, "Transverse Mercator with an accuracy of a few nanometers", Journal of Geodesy 85, 2011, equations 7 to 12,
to the third order: better than a tenth of a millimeter within a zone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..documents.placement_json import GpsOrigin
from .gps import ECCENTRICITY_2, SEMI_MAJOR

SCALE = 0.9996
FALSE_EAST, FALSE_NORTH = 500_000.0, 10_000_000.0
_N = (1 - np.sqrt(1 - ECCENTRICITY_2)) / (1 + np.sqrt(1 - ECCENTRICITY_2))  # third flattening
_RADIUS = SEMI_MAJOR / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_ALPHA = (_N / 2 - 2 / 3 * _N**2 + 5 / 16 * _N**3, 13 / 48 * _N**2 - 3 / 5 * _N**3, 61 / 240 * _N**3)


@dataclass(frozen=True)
class MapGrid:
    """A zone of UTM."""

    zone: int
    north: bool

    @property
    def epsg(self) -> int:
        return (32600 if self.north else 32700) + self.zone

    @property
    def name(self) -> str:
        return f"WGS 84 / UTM zone {self.zone}{'N' if self.north else 'S'}"

    def wkt(self) -> str:
        """Well-known text, version 1, as used in LAS (OGC 01-009)."""
        return (
            f'PROJCS["{self.name}",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,'
            'AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
            'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],'
            'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
            f'PARAMETER["central_meridian",{6 * self.zone - 183}],PARAMETER["scale_factor",{SCALE}],'
            f'PARAMETER["false_easting",500000],PARAMETER["false_northing",{0 if self.north else 10000000}],'
            'UNIT["meter",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],'
            f'AUTHORITY["EPSG","{self.epsg}"]]'
        )

    def project(self, degrees: np.ndarray) -> np.ndarray:
        """Easting and northing, meters [N, 2], of latitude and longitude [N, 2]."""
        latitude = np.radians(degrees[:, 0])
        turn = np.radians((degrees[:, 1] - (6 * self.zone - 183) + 180) % 360 - 180)
        e = np.sqrt(ECCENTRICITY_2)
        tangent = np.tan(latitude)
        sigma = np.sinh(e * np.arctanh(e * tangent / np.sqrt(1 + tangent**2)))
        conformal = tangent * np.sqrt(1 + sigma**2) - sigma * np.sqrt(1 + tangent**2)
        xi = np.arctan2(conformal, np.cos(turn))
        eta = np.arcsinh(np.sin(turn) / np.hypot(conformal, np.cos(turn)))
        north, east = xi.copy(), eta.copy()
        for order, alpha in enumerate(_ALPHA, 1):
            north += alpha * np.sin(2 * order * xi) * np.cosh(2 * order * eta)
            east += alpha * np.cos(2 * order * xi) * np.sinh(2 * order * eta)
        shift = np.array([FALSE_EAST, 0.0 if self.north else FALSE_NORTH])
        return np.asarray(SCALE * _RADIUS * np.stack([east, north], axis=1) + shift)


def grid_at(latitude: float, longitude: float) -> MapGrid:
    """The zone of a place, without the exceptions of Norway and Spitsbergen."""
    return MapGrid(int((longitude + 180) // 6) % 60 + 1, latitude >= 0)


def degrees_of(world: np.ndarray, origin: GpsOrigin) -> np.ndarray:
    """Latitude and longitude [N, 2] of points of the world, x east and y north: the inverse of gps.east_north."""
    latitude, longitude = origin.latitude_longitude
    bend = 1 - ECCENTRICITY_2 * np.sin(np.radians(latitude)) ** 2
    across = SEMI_MAJOR / np.sqrt(bend) * np.cos(np.radians(latitude))
    along = SEMI_MAJOR * (1 - ECCENTRICITY_2) / bend**1.5
    east, north = (world[:, :2] + np.array(origin.origin_east_north)).T
    return np.stack([latitude + np.degrees(north / along), longitude + np.degrees(east / across)], axis=1)

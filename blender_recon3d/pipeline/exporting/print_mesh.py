"""Meshes for 3D printers: STL and 3MF, shape only.

STL: 3D Systems, 1989, binary. 3MF: 3MF Consortium, "3D Manufacturing Format, core specification" 1.3.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files.atomic_files import atomic_file
from ..meshing.flat_base import base_of, with_base
from ..meshing.repair import cleaned, filled_holes, rim_loops
from ..meshing.topology import Mesh, boundary, cross_products, is_watertight
from ..wording import Sentence, with_option

MILLIMETERS = 1000.0  # in a meter
_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)
_DATE = (1980, 1, 1, 0, 0, 0)  # fixed, so that the same mesh gives the same bytes


def closed(mesh: Mesh) -> Mesh:
    """The mesh, z up, repaired and with all holes filled, the largest that faces down by a flat base. UserError if that
    does not make it watertight."""
    mesh = cleaned(mesh)
    loops = [loop[::-1] for loop in rim_loops(boundary(mesh.faces))]  # as faces that fill them run
    base = base_of(mesh.vertices, loops)
    if base is not None:
        number, height = base
        mesh = Mesh(*with_base(mesh.vertices, mesh.faces, loops[number], height))
    whole, _ = filled_holes(mesh, np.inf)
    if not is_watertight(whole):
        raise UserError(
            Sentence(
                f"The mesh cannot be closed ({len(boundary(whole.faces)):,} open edges are left): build it again ",
                with_option("closed"),
                ".",
            )
        )
    return whole


def write_stl(path: Path, mesh: Mesh) -> None:
    """Write unscaled positions: the format has no unit."""
    table = np.zeros(
        len(mesh.faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]
    )
    cross = cross_products(mesh)
    table["normal"] = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-30)
    table["corners"] = mesh.vertices[mesh.faces]
    with atomic_file(path) as part:
        part.write_bytes(b"Recon3D".ljust(80) + len(table).to_bytes(4, "little") + table.tobytes())


def write_3mf(path: Path, mesh: Mesh) -> None:
    """mesh: in millimeters."""
    vertices = ('<vertex x="%.6g" y="%.6g" z="%.6g"/>\n' * len(mesh.vertices)) % tuple(
        mesh.vertices.ravel().tolist()
    )
    faces = ('<triangle v1="%d" v2="%d" v3="%d"/>\n' * len(mesh.faces)) % tuple(mesh.faces.ravel().tolist())
    model = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" '
        'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">\n<resources><object id="1" type="model">'
        f"<mesh>\n<vertices>\n{vertices}</vertices>\n<triangles>\n{faces}</triangles>\n</mesh></object></resources>\n"
        '<build><item objectid="1"/></build></model>\n'
    )
    parts = {"[Content_Types].xml": _CONTENT_TYPES, "_rels/.rels": _RELATIONS, "3D/3dmodel.model": model}
    with atomic_file(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), text.encode(), zipfile.ZIP_DEFLATED)

"""Name textures after the export while it runs, so that two assets in one folder keep their textures."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ...pipeline.exporting.obj import beside

_DULL = "Ks 0.000000 0.000000 0.000000"  # the texture already contains the photos' highlights

LIGHT_ENDINGS = (".obj", ".usd", ".usdc", ".usda")  # of formats that refer to images as files of any kind


@contextmanager
def named_textures(mesh: bpy.types.Mesh, path: Path, folder: Path) -> Iterator[None]:
    """Inside the block the mesh's images have files in `folder`, or names, that begin with the export's name."""
    before: list[tuple[bpy.types.Image, str, str]] = []
    try:
        for number, image in enumerate(images_of(mesh)):
            source = Path(bpy.path.abspath(image.filepath_raw)) if image.filepath_raw else None
            named = beside(path, f"{f'_{number}' if number else ''}{source.suffix if source else '.png'}")
            before.append((image, image.name, image.filepath_raw))
            image.name = named.name
            if source and not image.packed_file and source.is_file():
                shutil.copyfile(source, folder / named.name)
                image.filepath_raw = str(folder / named.name)
        yield
    finally:
        for image, name, filepath in before:
            image.name, image.filepath_raw = name, filepath


def images_of(mesh: bpy.types.Mesh) -> list[bpy.types.Image]:
    """The images of the mesh's materials, each once, in node order."""
    return list(dict.fromkeys(node.image for node in _nodes_of(mesh)))


def _nodes_of(mesh: bpy.types.Mesh) -> list[bpy.types.ShaderNodeTexImage]:
    return [node for material in mesh.materials if material for node in image_nodes(material)]


def image_nodes(material: bpy.types.Material) -> list[bpy.types.ShaderNodeTexImage]:
    """A material's nodes with an image."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    return [node for node in nodes if node.type == "TEX_IMAGE" and node.image]


@contextmanager
def display_textures(mesh: bpy.types.Mesh, path: Path) -> Iterator[None]:
    """Inside the block the mesh's materials show the PNG beside an OpenEXR texture, unless PATH's format can refer to
    OpenEXR: Blender's glTF exporter writes its light into a PNG unchanged, which is far too dark."""
    if path.suffix.lower() in LIGHT_ENDINGS:
        yield
        return
    swapped: list[tuple[bpy.types.ShaderNodeTexImage, bpy.types.Image]] = []
    try:
        for node in _nodes_of(mesh):
            twin = Path(bpy.path.abspath(node.image.filepath_raw)).with_suffix(".png")
            if node.image.filepath_raw.lower().endswith(".exr") and twin.is_file():
                swapped.append((node, node.image))
                node.image = bpy.data.images.load(str(twin))
        yield
    finally:
        for node, image in swapped:
            loaded, node.image = node.image, image
            bpy.data.images.remove(loaded)


@contextmanager
def smaller_textures(mesh: bpy.types.Mesh, side: int) -> Iterator[None]:
    """Inside the block the mesh's materials show copies of their images of at most `side` pixels."""
    nodes = [(node, node.image) for node in _nodes_of(mesh) if max(node.image.size) > side]
    copies: dict[bpy.types.Image, bpy.types.Image] = {}
    try:
        for node, image in nodes:
            if image not in copies:
                copies[image] = image.copy()
                ratio = side / max(image.size)
                copies[image].scale(*(max(1, round(pixels * ratio)) for pixels in image.size))
            node.image = copies[image]
        yield
    finally:
        for node, image in nodes:
            node.image = image
        for copy in copies.values():
            bpy.data.images.remove(copy)


def rename_material_file(obj: Path) -> None:
    """Rename an OBJ's material file so that every reader finds it (`obj.beside`), and remove its specular color."""
    material = obj.with_suffix(".mtl")
    if not material.is_file():
        return
    named = beside(obj, ".mtl")
    text = re.sub(r"^Ks .*$", _DULL, material.read_text("utf-8"), flags=re.MULTILINE)
    material.unlink()
    named.write_text(text, "utf-8", newline="\n")
    part = obj.with_name(obj.name + ".part")
    with open(obj, "rb") as reading, open(part, "wb") as writing:
        for line in reading:
            if line.startswith(b"mtllib "):
                line = f"mtllib {named.name}\n".encode()
                writing.write(line)
                break
            writing.write(line)
        shutil.copyfileobj(reading, writing, 2**20)
    part.replace(obj)

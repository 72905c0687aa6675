"""Find what an import created by its custom properties: the user may rename and move anything."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..pipeline.errors import UserError
from .cameras import KEY

CLOUD, CLEANED, BOX = "cloud", "cleaned cloud", "crop box"
CELL, CELLS = "cloud cell", "cloud cells"  # an object, and the collection of all of them
MESH, FULL_MESH, DECIMATED, QUADS = "mesh", "full mesh", "decimated mesh", "quads"
LOD = "level of detail"  # a copy that stays hidden until a user or an engine needs it
SURFACES = (MESH, DECIMATED, QUADS)  # exportable meshes, in the order in which they are created


def kind_of(item: bpy.types.ID) -> str:
    """The kind that an import created this as; empty for the user's own data."""
    stored = item.get(KEY)
    return str(stored.get("kind", "")) if hasattr(stored, "get") else ""


def find_imports(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The scene's collections created by imports."""
    return [
        collection for collection in scene.collection.children_recursive if kind_of(collection) == "import"
    ]


def current_import(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The import that the active object belongs to, or else the latest; UserError if there is none."""
    imports = find_imports(scene)
    if not imports:
        raise UserError("There is no reconstruction in this scene: import a result first.")
    active = bpy.context.view_layer.objects.active if bpy.context.view_layer else None
    containing = [c for c in imports if active is not None and c.all_objects.get(active.name) == active]
    return (containing or imports)[-1]


def by_kind(collection: bpy.types.Collection) -> dict[str, list[bpy.types.Object]]:
    """The collection's objects by kind, in one pass."""
    kinds: dict[str, list[bpy.types.Object]] = {}
    for obj in collection.all_objects:
        kinds.setdefault(kind_of(obj), []).append(obj)
    return kinds


def parts_by_kind(collection: bpy.types.Collection) -> dict[str, list[bpy.types.Object]]:
    """As `by_kind`, without the cameras, of which there may be thousands: for panels, which are drawn often."""
    kinds: dict[str, list[bpy.types.Object]] = {}
    pending = [collection]
    while pending:
        current = pending.pop()
        for obj in current.objects:
            kinds.setdefault(kind_of(obj), []).append(obj)
        pending += [child for child in current.children if kind_of(child) != "cameras"]
    return kinds


def objects_of(collection: bpy.types.Collection, *kinds: str) -> list[bpy.types.Object]:
    """The collection's objects of these kinds, in the order of the kinds."""
    grouped = by_kind(collection)
    return [obj for kind in kinds for obj in grouped.get(kind, ())]


def find_object(collection: bpy.types.Collection, kind: str) -> bpy.types.Object | None:
    return next(iter(objects_of(collection, kind)), None)


def empty_of(collection: bpy.types.Collection) -> bpy.types.Object:
    """The Empty that holds placement and scale; UserError if it was deleted."""
    empty = find_object(collection, "empty")
    if empty is None:
        raise UserError(f"The Empty of {collection.name} was deleted: import the result again.")
    return empty


def cloud_of(collection: bpy.types.Collection) -> bpy.types.Object:
    """The cloud; UserError if it is missing or has no points."""
    cloud = find_object(collection, CLOUD)
    if cloud is None:
        raise UserError(f"{collection.name} no longer has a cloud: import the result again.")
    if not len(cloud.data.vertices):
        raise UserError("The cloud has no points: take more photos that overlap, or reconstruct again.")
    return cloud


def workspace_of(collection: bpy.types.Collection) -> Path:
    return Path(str(collection[KEY]["workspace"]))


def offset_of_import(collection: bpy.types.Collection) -> tuple[float, float, float]:
    """The offset subtracted from the model's coordinates, see `far_origin`."""
    offset = collection[KEY].get("offset", (0.0, 0.0, 0.0))
    return float(offset[0]), float(offset[1]), float(offset[2])


def check_editable(*things: bpy.types.ID | None) -> None:
    """UserError for data that is linked from another file, which cannot be changed here."""
    for obj in things:
        if obj is not None and obj.library is not None:
            raise UserError(
                f"{obj.name} is linked from {obj.library.filepath}: make it local first "
                "(Object > Relations > Make Local), or open that file."
            )


def check_replaceable(collection: bpy.types.Collection) -> None:
    """UserError if data that an import would replace is linked or a library override."""
    objects = (obj for obj in collection.all_objects if kind_of(obj))
    things = (collection, *collection.children_recursive, *objects)
    check_editable(*things)
    _check_own(*things)


def check_addable(obj: bpy.types.Object) -> None:
    """UserError where nothing can be added beside an object: its collection is linked, or a library override."""
    check_editable(*obj.users_collection)
    _check_own(*obj.users_collection)


def _check_own(*things: bpy.types.ID) -> None:
    for obj in things:
        if obj.override_library is not None:
            raise UserError(
                f"{obj.name} is a library override and cannot be replaced: make it local first (in the Outliner: "
                "Library Override > Make > Local), or open the file that it is linked from."
            )


def home_of(obj: bpy.types.Object, collection: bpy.types.Collection) -> bpy.types.Collection:
    """The collection that contains an object, for new objects derived from it."""
    for candidate in (collection, *collection.children_recursive):
        if candidate.objects.get(obj.name) == obj:
            return candidate
    return collection


def add_beside(obj: bpy.types.Object, source: bpy.types.Object, collection: bpy.types.Collection) -> None:
    """Link a new object to `source`'s collection, with the same parent and transform."""
    home_of(source, collection).objects.link(obj)
    obj.parent = source.parent
    obj.matrix_parent_inverse = source.matrix_parent_inverse.copy()
    obj.matrix_basis = source.matrix_basis.copy()


def hide(*things: bpy.types.Object, hidden: bool = True) -> None:
    """Hide in the viewport (the eye in the outliner) and in renders; show again with hidden=False."""
    for obj in things:
        obj.hide_render = hidden
        for scene in bpy.data.scenes:
            for layer in scene.view_layers:
                try:  # a layer's own list of objects may not be up to date yet
                    obj.hide_set(hidden, view_layer=layer)
                except RuntimeError:
                    continue  # not in this layer: its collection is excluded


def is_hidden(obj: bpy.types.Object) -> bool:
    """Hidden by the eye in the active view layer or, if the object is not in it, in renders."""
    layer = bpy.context.view_layer
    if layer is not None and layer.objects.get(obj.name) == obj:
        return obj.hide_get(view_layer=layer)
    return bool(obj.hide_render)


def make_active(obj: bpy.types.Object) -> None:
    """Select only this object in the view layer, if it is in it."""
    layer = bpy.context.view_layer
    layer.update()
    if layer.objects.get(obj.name) != obj:
        return
    active = layer.objects.active
    if active is not None and active.mode != "OBJECT":  # selecting another is not possible there
        return
    for other in list(layer.objects.selected):
        other.select_set(False, view_layer=layer)
    obj.select_set(True, view_layer=layer)
    layer.objects.active = obj

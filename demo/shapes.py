"""The demo's geometry: a bronze bust on a fluted stone plinth, a paved yard, a hedge.

Every relief is real geometry (vertices moved in numpy), so that the truth can be sampled from the meshes.
World frame: meters, z up, origin on the ground under the statue, which looks towards -y.
"""

import math

import bpy
import numpy as np
from mathutils import Matrix
from noise import cells, fbm, noise, step

TAU = 2 * math.pi


def grid_object(name: str, points: np.ndarray, material, closed: bool) -> bpy.types.Object:
    """Mesh object of a grid of points (rows, columns, 3); `closed` joins the last column to the first."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.concatenate([index, index[:, :1]], axis=1)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(rows * columns)
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.loops.add(quads.size)
    mesh.loops.foreach_set("vertex_index", quads.astype(np.int32).ravel())
    mesh.polygons.add(len(quads))
    mesh.polygons.foreach_set("loop_start", np.arange(0, quads.size, 4, dtype=np.int32))
    mesh.update(calc_edges=True)
    return _link(name, mesh, material)


def _link(name: str, mesh: bpy.types.Mesh, material) -> bpy.types.Object:
    mesh.shade_smooth()
    mesh.materials.clear()
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    """Vertex positions, (N, 3) float32, in the object's frame."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def displace(thing: bpy.types.Object, height) -> None:
    """Move each vertex along its normal by height(points) meters, and keep that as the attribute `relief`.

    The material darkens hollows and brightens ridges by it.
    """
    mesh = thing.data
    points = vertices(mesh)
    normals = np.empty_like(points)
    mesh.vertex_normals.foreach_get("vector", normals.reshape(-1))
    moved = np.asarray(height(points), np.float32)
    mesh.vertices.foreach_set("co", (points + moved[:, None] * normals).ravel())
    attribute(mesh, "relief", moved)
    mesh.update()


def attribute(mesh: bpy.types.Mesh, name: str, values: np.ndarray) -> None:
    """Store one float a vertex, for the material."""
    mesh.attributes.new(name, "FLOAT", "POINT").data.foreach_set("value", np.asarray(values, np.float32))


def _weathering(points: np.ndarray) -> np.ndarray:
    """Worn, pitted stone: a few millimeters of broad wear, chips and small pits."""
    pit, _, chance = cells(points, 0.016, seed=5)
    pits = -0.0018 * step(0.45, 0.1, pit) * (chance > 0.6)
    chips = -0.0035 * step(0.45, 0.75, fbm(points, 0.07, 4, seed=9))
    return 0.0013 * fbm(points, 0.03, 5, seed=3, gain=0.6) + chips + pits


# Half width, height and the exponent of the superellipse (2: round, 14: square) along the plinth's outline.
_OUTLINE = [
    (0.240, -0.03, 14), (0.240, 0.055, 14), (0.228, 0.062, 14), (0.224, 0.072, 12), (0.196, 0.078, 6),
    (0.186, 0.082, 2), (0.193, 0.090, 2), (0.194, 0.100, 2), (0.184, 0.110, 2), (0.170, 0.113, 2),
    (0.164, 0.120, 2), (0.152, 0.126, 2), (0.146, 0.135, 2), (0.139, 0.325, 2), (0.142, 0.334, 2),
    (0.153, 0.338, 2), (0.154, 0.350, 2), (0.144, 0.354, 2), (0.150, 0.366, 2), (0.170, 0.380, 4),
    (0.192, 0.388, 10), (0.198, 0.392, 14), (0.198, 0.448, 14), (0.190, 0.456, 14), (0.150, 0.460, 8),
    (0.152, 0.464, 2), (0.151, 0.474, 2), (0.140, 0.480, 2), (0.05, 0.482, 2),
]  # fmt: skip


def plinth(material) -> None:
    """Square foot, round shaft with twisted flutes, flared capital and square abacus, turned as one grid."""
    outline = np.array(_OUTLINE)
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(outline[:, :2], axis=0).T))])
    at = np.arange(0, length[-1], 0.0014)
    half, z, power = (np.interp(at, length, outline[:, i]) for i in range(3))
    kernel = np.hanning(7) / np.hanning(7).sum()
    half, z = (np.convolve(np.pad(v, 3, "edge"), kernel, "valid") for v in (half, z))
    angle = np.linspace(0, TAU, 840, endpoint=False)[None]
    half, z, power = half[:, None], z[:, None], power[:, None]
    radius = half * (abs(np.cos(angle)) ** power + abs(np.sin(angle)) ** power) ** (-1 / power)
    on_shaft = step(0.135, 0.15, z) * step(0.328, 0.312, z)
    radius -= 0.013 * on_shaft * np.sqrt(abs(np.cos(10 * (angle + 3.2 * z))))
    radius -= 0.004 * step(0.365, 0.37, z) * step(0.392, 0.386, z) * abs(np.cos(16 * angle))
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z + 0 * angle], -1)
    displace(grid_object("Plinth", points, material, closed=True), _weathering)


def lettering(text: str, material) -> None:
    """Raised letters on the front of the abacus: they also tell its four sides apart."""
    curve = bpy.data.curves.new("Lettering", "FONT")
    curve.body, curve.size, curve.extrude, curve.bevel_depth = text, 0.052, 0.006, 0.0012
    curve.align_x, curve.align_y = "CENTER", "CENTER"
    curve.space_character = 1.15
    thing = bpy.data.objects.new("Lettering", curve)
    mesh = bpy.data.meshes.new_from_object(thing)
    mesh.transform(Matrix.Translation((0, -0.2005, 0.4205)) @ Matrix.Rotation(math.pi / 2, 4, "X"))
    _link("Lettering", mesh, material)
    attribute(mesh, "relief", np.full(len(mesh.vertices), 0.001))


def _fur(points: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Locks that hang down, and hammer marks where `face` (0..1, one a point) is bare."""
    warped = points + 0.012 * np.stack([noise(points / 0.05, s) for s in (1, 2, 3)], 1)
    locks = fbm(warped * (1, 1, 0.28), 0.022, 3, seed=21)
    dent, _, _ = cells(points, 0.015, seed=23)
    hammer = 0.0030 * (np.minimum(dent, 0.8) - 0.4)
    return (
        (1 - 0.85 * face) * 0.0065 * locks
        + (0.3 + 0.7 * face) * hammer
        + 0.0018 * fbm(points, 0.03, 5, gain=0.6)
    )


def bust(material) -> None:
    """Suzanne cast in bronze, on a neck: locks of fur, hammer marks and wear."""
    rise = np.linspace(0, 1, 170)[:, None]
    angle = np.linspace(0, TAU, 480, endpoint=False)[None]
    girth = np.interp(rise, (0, 0.05, 0.16, 0.4, 0.75, 1), (0.142, 0.138, 0.115, 0.098, 0.100, 0.085))
    back = 0.045 * np.sqrt(rise) + 0 * angle
    neck = np.stack(
        [girth * np.cos(angle), back + 0.9 * girth * np.sin(angle), 0.472 + 0.25 * rise + 0 * angle], -1
    )
    displace(grid_object("Neck", neck, material, True), lambda p: _fur(p, np.zeros(len(p))))
    bpy.ops.mesh.primitive_monkey_add(size=2)
    thing = bpy.context.object
    thing.modifiers.new("Subdivision", "SUBSURF").levels = 5
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = bpy.data.meshes.new_from_object(evaluated)
    bpy.data.objects.remove(thing)
    local = vertices(mesh)
    face = step(0.25, -0.15, local[:, 1]) * step(1.0, 0.75, abs(local[:, 0])) * step(0.75, 0.5, local[:, 2])
    turn = Matrix.Rotation(math.radians(9), 4, "Z") @ Matrix.Rotation(math.radians(-7), 4, "Y")
    mesh.transform(Matrix.Translation((0, 0.0, 0.735)) @ turn @ Matrix.Scale(0.235, 4))

    displace(_link("Bust", mesh, material), lambda p: _fur(p, face))


def garland(stem, leaf) -> None:
    """A vine with leaves in high relief that climbs once and a half around the shaft."""
    turn = np.linspace(0, 1, 900)[:, None]
    angle = math.radians(-75) + 1.45 * TAU * turn
    radius = 0.149 + 0.003 * np.sin(9 * angle)
    z = 0.138 + 0.182 * turn + 0.006 * np.sin(7 * angle + 1)
    around = np.linspace(0, TAU, 24, endpoint=False)[None]
    thick = 0.0065 * step(0, 0.04, turn) * step(1, 0.96, turn) + 0.0005
    reach = radius + thick * np.cos(around)
    points = np.stack([reach * np.cos(angle), reach * np.sin(angle), z + thick * np.sin(around)], -1)
    displace(grid_object("Vine", points, stem, True), lambda p: 0.0012 * fbm(p, 0.01, 3, seed=31))
    random = np.random.default_rng(4)
    for at in np.linspace(0.02, 0.98, 44):
        angle = math.radians(-75) + 1.45 * TAU * at
        side = 1 if random.random() < 0.5 else -1
        u, v = np.meshgrid(np.linspace(0, 1, 44), np.linspace(-1, 1, 44), indexing="ij")
        width = 0.5 * np.sin(math.pi * u**0.75) * (1 + 0.16 * np.cos(20 * u))
        rise = 0.20 * np.sqrt(np.clip(1 - v**2, 0, 1)) * np.sqrt(np.clip(np.sin(math.pi * u), 0, 1))
        rise += 0.05 * np.cos(26 * (u - 0.4 * abs(v))) * (1 - abs(v)) * np.sin(math.pi * u)
        rise -= 0.06 * np.exp(-(v**2) / 0.01)
        size = random.uniform(0.036, 0.052)
        tilt = side * random.uniform(0.7, 1.3) + 0.3
        along = size * (u * math.cos(tilt) - v * width * math.sin(tilt))
        across = size * (u * math.sin(tilt) + v * width * math.cos(tilt))
        base = angle + along / 0.15
        reach = 0.1455 + 0.7 * size * rise + 0.008 * u
        height = 0.138 + 0.182 * at + across
        points = np.stack([reach * np.cos(base), reach * np.sin(base), height], -1)
        displace(grid_object("Leaf", points, leaf, False), lambda p: 0.0008 * fbm(p, 0.012, 3, seed=33))


def ammonite(material) -> None:
    """A ribbed fossil that leans on the plinth's foot: nothing else here has its shape."""
    turn = np.linspace(0, 4.1 * TAU, 1500)[:, None]
    around = np.linspace(0, TAU, 120, endpoint=False)[None]
    whorl = 0.083 * np.exp(0.105 * (turn - turn[-1]))
    ribs = 1 + 0.055 * np.cos(26 * turn + 1.2 * np.cos(around))
    tube = 0.345 * whorl * ribs * step(4.1 * TAU + 0.02, 4.1 * TAU - 0.15, turn)
    reach = whorl + tube * np.cos(around)
    points = np.stack([reach * np.cos(turn), reach * np.sin(turn), 0.9 * tube * np.sin(around)], -1)
    thing = grid_object("Ammonite", points, material, True)
    lean = Matrix.Rotation(math.radians(-52), 4, "Z") @ Matrix.Translation((0.325, 0, 0.098))
    thing.data.transform(lean @ Matrix.Rotation(math.radians(62), 4, "Y") @ Matrix.Rotation(2.4, 4, "Z"))
    displace(thing, lambda p: 0.0014 * fbm(p, 0.02, 4, seed=41))


def rocks(material) -> None:
    """A few weathered rocks on the paving, none like another."""
    places = [(0.40, 0.13, 0.10), (0.33, 0.33, 0.06), (-0.36, -0.20, 0.075), (-0.44, -0.12, 0.045)]
    places += [(-0.30, 0.42, 0.085), (0.12, -0.52, 0.04), (0.62, -0.28, 0.05), (-0.72, 0.30, 0.06)]
    for number, (x, y, size) in enumerate(places):
        bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=7 if size > 0.055 else 6, radius=size)
        thing = bpy.context.object
        thing.data.materials.append(material)
        thing.data.transform(Matrix.Diagonal((1.15, 0.9, 0.72, 1)))
        thing.data.transform(Matrix.Translation((x, y, 0.45 * size)) @ Matrix.Rotation(1.9 * number, 4, "Z"))
        thing.name = "Rock"
        thing.data.shade_smooth()

        def height(points, size=size, number=number):
            facets, _, _ = cells(points, 0.9 * size, seed=50 + number)
            return size * (0.35 * facets - 0.25) + 0.12 * size * fbm(points, 0.5 * size, 6, seed=60 + number)

        displace(thing, height)


def ground(material) -> None:
    """A round yard of flagstones with mossy joints, then gravel, then grass to the hedge; finest at the center."""
    columns = 1500
    ratio = 1 + TAU / columns
    near = 0.16 * ratio ** np.arange(math.log(2.2 / 0.16) / math.log(ratio))
    radius = np.concatenate([near, near[-1] * (1 + 8 * TAU / columns) ** np.arange(1, 75)])[:, None]
    angle = np.linspace(0, TAU, columns, endpoint=False)[None]
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius * angle], -1).reshape(-1, 3)
    thing = grid_object("Ground", points.reshape(len(radius), columns, 3), material, True)
    flat, reach = points[:, :2], np.hypot(points[:, 0], points[:, 1])
    wobble = 0.10 * fbm(points, 0.5, 4, seed=71)
    warped = flat + 0.02 * np.stack([fbm(points, 0.15, 4, seed=s) for s in (72, 73)], 1)
    first, second, stone = cells(warped, 0.24, seed=74)
    paved = step(1.18, 1.10, reach + wobble)
    block = step(0.03, 0.16, second - first) * paved
    grass = step(1.55, 1.95, reach + 2.0 * wobble)
    pebble, _, pebble_color = cells(flat, 0.021, seed=75)
    lie = 0.008 * stone + 0.008 * noise(points / 0.5 + 40 * stone[:, None], seed=80)
    worn = 0.008 * step(0.4, 0.8, fbm(points, 0.05, 3, seed=78))
    z = block * (0.010 + lie + 0.0030 * fbm(points, 0.06, 5, seed=76) - worn)
    z += (1 - block) * (1 - grass) * 0.010 * np.sqrt(np.clip(1 - 1.5 * pebble**2, 0, 1))
    z += grass * (0.03 * fbm(points, 0.12, 5, seed=77, gain=0.65) + 0.03)
    z += 0.02 * fbm(points, 1.3, 3, seed=79) * step(0.5, 2, reach)
    points[:, 2] = z - 0.008
    thing.data.vertices.foreach_set("co", points.astype(np.float32).ravel())
    for name, values in {"block": block, "grass": grass, "stone": stone, "pebble": pebble_color}.items():
        attribute(thing.data, name, values)
    attribute(thing.data, "relief", 0.5 * (z - 0.012) * (1 - grass))
    thing.data.update()


def hedge(material) -> None:
    """A clipped hedge around the garden with a lumpy outline: it ends the view."""
    profile = np.array(
        [(5.6, -0.1), (5.55, 0.3), (5.6, 1.0), (5.7, 1.25), (6.0, 1.4), (6.6, 1.35), (7.0, 1.1)]
    )
    at = np.linspace(0, 6, 170)
    radius, z = (np.interp(at, np.arange(7), profile[:, i])[:, None] for i in (0, 1))
    angle = np.linspace(0, TAU, 1800, endpoint=False)[None]
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z + 0 * angle], -1)

    def height(p):
        tuft, _, _ = cells(p, 0.10, seed=81)
        return 0.45 * fbm(p, 1.6, 3, seed=82) + 0.10 * (0.6 - tuft) + 0.05 * fbm(p, 0.10, 3, seed=83)

    displace(grid_object("Hedge", points, material, True), height)

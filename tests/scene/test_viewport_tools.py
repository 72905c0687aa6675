"""Pointing, lasso and crop box: the tools in the 3D view, by their functions and by operators' arguments."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
import bmesh  # noqa: E402
from mathutils import Matrix, Vector  # noqa: E402

import blender_recon3d  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.files.ply import read_vertices  # noqa: E402
from blender_recon3d.scene import picking  # noqa: E402
from blender_recon3d.scene.cleaning import crop_box, crop_faces  # noqa: E402
from blender_recon3d.scene.cleaning.cleaned_cloud_file import write_cleaned_cloud  # noqa: E402
from blender_recon3d.scene.cleaning.delete_points import delete_in_lasso  # noqa: E402
from blender_recon3d.scene.cleaning.deleted_points import is_edited, restore_points  # noqa: E402
from blender_recon3d.scene.find_imports import CLOUD, MESH, find_object  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.world_matrices import world_matrix  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, rotation_matrix, write_workspace  # noqa: E402


@pytest.fixture
def registered(empty_blender):
    blender_recon3d.register()
    yield
    blender_recon3d.unregister()


def from_front(thing, width=800, height=600):
    """A perspective view that looks along +y at an object of the import, from 20 units away."""
    center = picking.world_positions(thing).mean(axis=0)
    view = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, -20), (0, 0, 0, 1))) @ Matrix.Translation(
        -Vector(center.tolist())
    )
    near, far, side = 0.1, 1000.0, 0.3
    clip = Matrix.Identity(4)
    clip[0][0], clip[1][1] = 1 / side, width / height / side
    clip[2][2], clip[2][3] = -(far + near) / (far - near), -2 * far * near / (far - near)
    clip[3][2], clip[3][3] = -1.0, 0.0
    return picking.View(np.array(clip @ view), width, height)


def test_a_click_selects_the_point_of_the_cloud_in_front(tmp_path):
    cloud = import_workspace(write_workspace(tmp_path / "w", ring(5, 3000))).cloud
    bpy.context.view_layer.update()
    view, xyz = from_front(cloud), picking.world_positions(cloud)
    targets = picking.Targets(xyz)
    pixels, depth = view.project(xyz)
    middle = xyz.mean(axis=0)
    for number in np.flatnonzero(xyz[:, 1] < middle[1] - 0.8 * np.ptp(xyz[:, 1]) / 2)[:10]:
        x, y = pixels[number]
        found = picking.pick(targets, view, float(x), float(y))
        assert np.allclose(found, xyz[number])  # and not the one behind it, on the far side of the sphere
    assert picking.pick(targets, view, 3.0, 3.0) is None
    assert (depth < 1).all()


def test_a_click_on_the_mesh_selects_its_surface_and_snaps_to_vertices(tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16)
    result = import_workspace(root)
    bpy.context.view_layer.update()
    targets = picking.targets_of(result.collection)
    assert targets.meshes == [result.mesh] and not len(targets.points)  # the cloud is hidden behind the mesh
    view, xyz = from_front(result.mesh), picking.world_positions(result.mesh)
    hits = [
        (x, y, point)
        for x in range(300, 500, 9)
        for y in range(200, 400, 9)
        if (point := picking.pick(targets, view, x, y)) is not None
    ]
    assert len(hits) > 20
    for x, y, point in hits:
        pixel, _ = view.project(np.array([tuple(point)]))
        assert np.hypot(*(pixel[0] - (x, y))) <= picking.REACH
    near = [min(np.linalg.norm(xyz - np.array(point), axis=1)) for *_, point in hits]
    assert min(near) < 1e-5 < max(near)  # some on a vertex, some between


def test_a_lasso_deletes_what_is_inside_and_keeps_colors(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring(5, 2000)))
    cloud = result.cloud
    view, before = from_front(cloud), picking.world_positions(cloud)
    colors = np.empty(4 * len(before), np.float32)
    cloud.data.color_attributes["Col"].data.foreach_get("color_srgb", colors)
    pixels, _ = view.project(before)
    left = pixels[:, 0] < 400
    sentence = delete_in_lasso(result.collection, view, [(-1, -1), (400, -1), (400, 700), (-1, 700)])
    assert sentence == f"Deleted {int(left.sum()):,} of Recon3D Cloud."
    assert np.allclose(picking.world_positions(cloud), before[~left], atol=1e-5)
    now = np.empty(4 * int((~left).sum()), np.float32)
    cloud.data.color_attributes["Col"].data.foreach_get("color_srgb", now)
    assert np.allclose(now.reshape(-1, 4), colors.reshape(-1, 4)[~left])
    assert not cloud.data.validate()
    with pytest.raises(UserError, match="no points inside"):
        delete_in_lasso(result.collection, view, [(-1, -1), (3, -1), (3, 3)])
    with pytest.raises(UserError, match="all of Recon3D Cloud"):
        delete_in_lasso(result.collection, view, [(-1, -1), (900, -1), (900, 700), (-1, 700)])


def test_the_engine_meshes_what_the_lasso_leaves(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring(5, 2000)))
    assert write_cleaned_cloud(result.collection) is None
    view = from_front(result.cloud)
    delete_in_lasso(result.collection, view, [(-1, -1), (400, -1), (400, 700), (-1, 700)])
    count = len(result.cloud.data.vertices)
    assert f"element vertex {count}".encode() in write_cleaned_cloud(result.collection).read_bytes()[:300]


def test_what_was_deleted_stays_deleted_until_it_is_restored(tmp_path):
    """By a lasso or in Edit Mode; a cloud that has changed comes back whole, and says so."""
    root = write_mesh_files(write_workspace(tmp_path / "w", ring(5, 2000)), dome(8), texture=16)
    result = import_workspace(root)
    bpy.context.view_layer.update()
    view, faces = from_front(result.mesh), len(result.mesh.data.polygons)
    sentence = delete_in_lasso(result.collection, view, [(-1, -1), (400, -1), (400, 700), (-1, 700)])
    left = len(result.cloud.data.vertices)
    assert left < 2000 and len(result.mesh.data.polygons) < faces  # the cloud is hidden by the mesh
    assert "Recon3D Cloud" in sentence and "Recon3D Mesh" in sentence
    again = import_workspace(root)
    assert len(again.cloud.data.vertices) == left and not again.notes
    assert is_edited(again.cloud)
    assert restore_points(again.collection) == f"{2000 - left:,} points are back."
    assert len(again.cloud.data.vertices) == 2000 and not is_edited(again.cloud)
    with pytest.raises(UserError, match="No points were deleted"):
        restore_points(again.collection)
    mesh = bmesh.new()
    mesh.from_mesh(again.cloud.data)
    bmesh.ops.delete(mesh, geom=list(mesh.verts)[:500], context="VERTS")
    mesh.to_mesh(again.cloud.data)
    mesh.free()
    assert write_cleaned_cloud(again.collection) is not None
    assert len(import_workspace(root).cloud.data.vertices) == 1500
    write_workspace(root, ring(5, 2000, seed=1))
    changed = import_workspace(root)
    assert len(changed.cloud.data.vertices) == 2000 and any("are back" in note for note in changed.notes)


def test_a_cleaned_cloud_in_map_coordinates_is_written_in_them(tmp_path):
    model = ring(5, 2000)
    far = np.array([500000.0, 0.0, 4000000.0])
    model.xyz = model.xyz + far
    model.images = [(name, camera, q, t - rotation_matrix(q) @ far) for name, camera, q, t in model.images]
    result = import_workspace(write_workspace(tmp_path / "w", model))
    delete_in_lasso(result.collection, from_front(result.cloud), [(-1, -1), (400, -1), (400, 700), (-1, 700)])
    table = read_vertices(write_cleaned_cloud(result.collection))
    assert np.abs(table["x"].mean() - 500000) < 2 and np.abs(table["z"].mean() - 4000000) < 2
    assert np.ptp(table["x"]) == pytest.approx(np.ptp(picking.world_positions(result.cloud)[:, 0]), rel=0.5)


def test_a_lasso_deletes_faces_of_the_mesh_by_the_operators_arguments(registered, tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16)
    import_workspace(root)
    mesh = find_object(bpy.data.collections["Recon3D"], MESH)
    view, faces = from_front(mesh), len(mesh.data.polygons)
    pixels, _ = view.project(picking.world_positions(mesh))
    x, y = np.median(pixels, axis=0)
    arguments = {"matrix": view.clip_from_world.ravel().tolist(), "size": (view.width, view.height)}
    lasso = f"0 0 {x} 0 {x} {y} 0 {y}"
    assert bpy.ops.recon3d.delete_lasso(lasso=lasso, **arguments) == {"FINISHED"}
    assert 0 < len(mesh.data.polygons) < faces and mesh.data.uv_layers
    with pytest.raises(RuntimeError, match="no points inside"):
        bpy.ops.recon3d.delete_lasso(lasso="0 0 1 0 1 1", **arguments)


def test_a_lasso_keeps_what_an_artist_has_added_to_the_mesh(registered, tmp_path):
    """As Blender's own deletion of vertices leaves it: seams, vertex groups, normals, attributes, materials."""
    import bmesh

    import_workspace(write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16))
    obj = find_object(bpy.data.collections["Recon3D"], MESH)
    mesh = obj.data
    group = obj.vertex_groups.new(name="Weights")
    for vertex in mesh.vertices:
        group.add([vertex.index], vertex.index / len(mesh.vertices), "REPLACE")
    for edge in mesh.edges:
        edge.use_seam = edge.index % 3 == 0
    mesh.attributes.new("part", "INT", "FACE").data.foreach_set("value", np.arange(len(mesh.polygons)))
    mesh.materials.append(bpy.data.materials.new("Another"))
    mesh.polygons.foreach_set("material_index", np.arange(len(mesh.polygons)) % 2)
    view = from_front(obj)
    pixels, _ = view.project(picking.world_positions(obj))
    x, y = np.median(pixels, axis=0)
    lasso = [(-1, -1), (x, -1), (x, y), (-1, y)]
    edited = bmesh.new()
    edited.from_mesh(mesh)
    edited.verts.ensure_lookup_table()
    inside = picking.inside_lasso(view, lasso, picking.world_positions(obj))
    bmesh.ops.delete(edited, geom=[edited.verts[n] for n in np.flatnonzero(inside)], context="VERTS")
    wanted = bpy.data.meshes.new("Wanted")
    edited.to_mesh(wanted)
    delete_in_lasso(bpy.data.collections["Recon3D"], view, lasso)
    assert everything(obj.data) == everything(wanted) and not obj.data.validate()
    assert [material.name for material in obj.data.materials][-1] == "Another"
    assert not [group for group in bpy.data.node_groups if "Delete" in group.name]
    obj.shape_key_add(name="Basis")
    with pytest.raises(UserError, match="has shape keys"):
        delete_in_lasso(bpy.data.collections["Recon3D"], view, [(x, y), (900, y), (900, 900), (x, 900)])


def everything(mesh):
    """A mesh's faces with all that is stored on them and their corners; in no particular order."""
    edges = {tuple(edge.vertices): edge.use_seam for edge in mesh.edges}
    places = [(*(round(x, 5) for x in v.co), *(round(g.weight, 5) for g in v.groups)) for v in mesh.vertices]
    uv, part = mesh.uv_layers.active.data, mesh.attributes["part"].data
    faces = []
    for face in mesh.polygons:
        corners = sorted((places[mesh.loops[n].vertex_index], tuple(uv[n].uv)) for n in face.loop_indices)
        seams = sorted(edges[key] for key in face.edge_keys)
        faces.append((part[face.index].value, face.material_index, face.use_smooth, corners, seams))
    return sorted(faces)


def test_a_face_of_the_crop_box_moves_alone(registered, tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring(5, 2000)))
    box = crop_box.add_crop_box(result.collection)
    world = world_matrix(box)
    ends = {face: crop_faces.face_normal(world, face)[0] for face in crop_faces.FACES}
    half = world.to_3x3().col[2].length
    assert bpy.ops.recon3d.move_crop_face(face="+Z", distance=-half) == {"FINISHED"}
    now = {face: crop_faces.face_normal(world_matrix(box), face)[0] for face in crop_faces.FACES}
    assert (now["+Z"] - ends["+Z"]).length == pytest.approx(half, rel=1e-4)
    assert (now["-Z"] - ends["-Z"]).length < 1e-4
    inside, total = crop_faces.count_inside(crop_faces.points_to_count(result.collection), world_matrix(box))
    assert total == 2000 and 0.35 < inside / total < 0.65  # half of a sphere
    bpy.ops.recon3d.move_crop_face(face="+Z", distance=-100 * half)  # never past the opposite face
    assert 0 < world_matrix(box).to_3x3().col[2].length < 0.01 * half
    assert find_object(result.collection, CLOUD) is not None


@pytest.mark.parametrize(
    ("width", "height", "covered", "distance"),
    [(1300, 800, 0, 1.2), (1300, 800, 300, 1.29), (800, 800, 300, 1.74), (400, 900, 0, 1.56), (0, 0, 0, 1.2)],
)
def test_a_result_is_framed_where_no_sidebar_covers_it(width, height, covered, distance):
    """A viewport of 50 mm sees 1.44 times the distance along its larger side."""
    from blender_recon3d.scene.viewports import distance_that_fits

    found = distance_that_fits(width, height, covered, 50.0)
    assert found == pytest.approx(distance, abs=0.01)

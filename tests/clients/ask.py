"""What another program reads from a file, as JSON: python ask.py CLIENT FILE, in the clients' own environment."""

from __future__ import annotations

import json
import sys


def ask_trimesh(path: str) -> dict:
    import trimesh

    loaded = trimesh.load(path)
    parts = list(loaded.geometry.values()) if hasattr(loaded, "geometry") else [loaded]
    mesh = loaded.to_mesh() if hasattr(loaded, "to_mesh") else parts[0]
    image = getattr(getattr(parts[0].visual, "material", None), "baseColorTexture", None)
    image = image or getattr(getattr(parts[0].visual, "material", None), "image", None)
    return {
        "faces": len(mesh.faces), "low": mesh.bounds[0].tolist(), "high": mesh.bounds[1].tolist(),
        "watertight": bool(mesh.is_watertight), "texture": list(image.size) if image else None,
    }  # fmt: skip


def ask_usd(path: str) -> dict:
    from pxr import Usd, UsdGeom, UsdValidation

    stage = Usd.Stage.Open(path)
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    issues = [error.GetMessage() for error in UsdValidation.ValidationContext(validators).Validate(stage)]
    cameras = []
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Camera):
            camera = UsdGeom.Camera(prim).GetCamera(Usd.TimeCode.EarliestTime())
            cameras.append({
                "name": prim.GetParent().GetName(), "focal": camera.focalLength, "across": camera.horizontalAperture,
                "down": camera.verticalAperture,
                "shift": [camera.horizontalApertureOffset, camera.verticalApertureOffset],
                "clip": [camera.clippingRange.min, camera.clippingRange.max],
            })  # fmt: skip
    meshes = [UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
    return {
        "faces": sum(len(mesh.GetFaceVertexCountsAttr().Get()) for mesh in meshes), "cameras": cameras,
        "issues": issues, "up": UsdGeom.GetStageUpAxis(stage),
        "meters": UsdGeom.GetStageMetersPerUnit(stage),
    }  # fmt: skip


def ask_assimp(path: str) -> dict:
    import impasse
    import numpy as np

    scene = impasse.load(path)
    nodes = {}

    def visit(node, parent: str, above) -> None:
        matrix = above @ np.array(node.transformation)
        corners = [mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3] for mesh in node.meshes]
        corners = np.concatenate(corners) if corners else np.zeros((0, 3))
        nodes[node.name] = {
            "parent": parent, "faces": sum(len(mesh.faces) for mesh in node.meshes), "still": np.array(
                node.transformation).round(5).tolist() == np.eye(4).tolist(),
            "low": corners.min(axis=0).tolist() if len(corners) else [],
            "high": corners.max(axis=0).tolist() if len(corners) else [],
        }  # fmt: skip
        for child in node.children:
            visit(child, node.name, matrix)

    visit(scene.root_node, "", np.eye(4))
    about = {str(key): value for key, value in scene.metadata.items() if isinstance(value, (int, float, str))}
    return {
        "faces": sum(len(mesh.faces) for mesh in scene.meshes), "cameras": len(scene.cameras), "nodes": nodes,
        "about": about,
    }  # fmt: skip


def ask_laspy(path: str) -> dict:
    import laspy

    cloud = laspy.read(path)
    wkt = next((vlr.string for vlr in cloud.header.vlrs if hasattr(vlr, "string")), "")
    return {
        "points": len(cloud.points), "version": str(cloud.header.version), "format": cloud.header.point_format.id,
        "low": [float(v) for v in cloud.header.mins], "high": [float(v) for v in cloud.header.maxs], "wkt": wkt,
        "first": [float(cloud.x[0]), float(cloud.y[0]), float(cloud.z[0])], "red": int(cloud.red[0]),
    }  # fmt: skip


if __name__ == "__main__":
    clients = {"trimesh": ask_trimesh, "usd": ask_usd, "assimp": ask_assimp, "laspy": ask_laspy}
    print(json.dumps(clients[sys.argv[1]](sys.argv[2])))

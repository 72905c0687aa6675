"""Refines the photos added to a refined model: their observations are aligned, the other cameras stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.model_files import read_model
from ..earlier_work import same_photos
from ..errors import UserError
from ..workspace import Workspace
from .refine_model import Refined

SAME_POSE = 1e-9


def staying_photos(workspace: Workspace, model: Any) -> set[str]:
    """The photos whose pose in this model is that of the earlier refined one; empty if there is none."""
    names = same_photos(workspace, "refine")
    before = Workspace(workspace.earlier)
    if not names or not before.refined.is_dir():
        return set()
    try:
        known = read_model(before.refined)
    except UserError:
        return set()
    return unmoved(model, known, names)


def unmoved(model: Any, known: Any, names: Mapping[str, str]) -> set[str]:
    """The registered photos with the same pose in both models. names: the earlier name by the current one."""
    earlier = {known.image(number).name: known.image(number) for number in known.reg_image_ids()}
    steady = set()
    for number in model.reg_image_ids():
        image = model.image(number)
        before = earlier.get(names.get(image.name, ""))
        if before is not None and np.allclose(
            image.cam_from_world().matrix(), before.cam_from_world().matrix(), rtol=0, atol=SAME_POSE
        ):
            steady.add(image.name)
    return steady


def refine_added(model: Any, stay: set[str], refine: Callable[[Any], Refined]) -> Refined:
    """`model` with the points refined that a photo outside `stay` sees; refine: for a model of these points alone."""
    added = {number for number in model.reg_image_ids() if model.image(number).name not in stay}
    part = pycolmap.Reconstruction(model)
    theirs = set()
    for point_id in list(part.point3D_ids()):
        if any(element.image_id in added for element in part.point3D(point_id).track.elements):
            theirs.add(point_id)
        else:
            part.delete_point3D(point_id)
    refined = refine(part)
    if not refined.accepted:
        return Refined(model, refined.kept, [], refined.held_out, False)
    whole = pycolmap.Reconstruction(model)
    for number in added:
        frame = whole.image(number).frame_id
        whole.frame(frame).rig_from_world = refined.model.frame(frame).rig_from_world
    for point_id in sorted(theirs):
        if refined.model.exists_point3D(point_id):
            _take_point(whole, refined.model, point_id)
        else:
            whole.delete_point3D(point_id)
    whole.update_point_3d_errors()
    return Refined(whole, refined.kept, [], refined.held_out, True)


def _take_point(model: Any, source: Any, point_id: int) -> None:
    """Give a point its position and observations in another model."""
    track, here = (
        {(each.image_id, each.point2D_idx) for each in of.point3D(point_id).track.elements}
        for of in (source, model)
    )
    for image_id, keypoint in sorted(here - track):
        model.delete_observation(image_id, keypoint)
    model.point3D(point_id).xyz = source.point3D(point_id).xyz
    for image_id, keypoint in sorted(track):
        model.image(image_id).point2D(keypoint).xy = source.image(image_id).point2D(keypoint).xy

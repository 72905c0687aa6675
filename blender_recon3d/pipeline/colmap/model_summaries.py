"""Statistics of a model: per photo, and in total."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from ..documents.registration_json import ModelSummary


def registered(model: Any) -> dict[str, tuple[int, float | None]]:
    """Number of sparse points and mean reprojection error (None without points) of each photo in the model."""
    errors: dict[int, list[float]] = defaultdict(list)
    for point in model.points3D.values():
        for element in point.track.elements:
            errors[element.image_id].append(point.error)
    return {
        model.image(image_id).name: (
            len(errors[image_id]),
            round(float(np.mean(errors[image_id])), 4) if errors[image_id] else None,
        )
        for image_id in model.reg_image_ids()
    }


def model_summary(model: Any) -> ModelSummary:
    return ModelSummary(
        photos=model.num_reg_images(),
        points=model.num_points3D(),
        error=round(model.compute_mean_reprojection_error(), 4),
        track_length=round(model.compute_mean_track_length(), 3),
    )

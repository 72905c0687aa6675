"""The description of the documents matches the dataclasses."""

from blender_recon3d.pipeline.documents import tables
from tests.support.engine import REPOSITORY


def test_the_description_is_current():
    written = (REPOSITORY / "docs" / "pipeline" / "documents.md").read_text("utf-8")
    assert written == tables.page(), (
        "run: python -m blender_recon3d.pipeline.documents.tables > docs/pipeline/documents.md"
    )

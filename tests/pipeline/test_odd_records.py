"""A settings file or state.json may contain anything: errors are reported in a message."""

import pytest

from blender_recon3d.pipeline import results
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.meshing.region import read_box


@pytest.mark.parametrize("recorded", ["", " ", "much", "-3 x", "\0"])
def test_an_invalid_record_counts_as_a_difference(recorded, tmp_path):
    file = tmp_path / "mesh.ply"
    file.write_text("ply")
    assert results._difference(file, recorded) == "has different content than was written"


@pytest.mark.parametrize("text", ["~\0", "a\0b", "~nobody\0/x"])
def test_a_box_with_a_null_character_is_refused(text):
    with pytest.raises(UserError, match="crop box"):
        read_box(text)

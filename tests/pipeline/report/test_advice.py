"""Advice about photos that were not used."""

from dataclasses import replace

from blender_recon3d.pipeline.documents.codec import decode
from blender_recon3d.pipeline.documents.photos_json import PhotosDocument
from blender_recon3d.pipeline.documents.registration_json import RegistrationDocument
from blender_recon3d.pipeline.report.advice import advise


def capture(states: dict[str, dict], aside: dict[str, str] | None = None):
    photos = [{"name": f"{n}.jpg", "source": f"/p/{n}.JPG", "state": "used"} for n in states]
    photos += [
        {"name": "", "source": f"/p/{n}.JPG", "state": "set aside", "reason": r}
        for n, r in (aside or {}).items()
    ]
    found = {"photos": {f"{n}.jpg": entry for n, entry in states.items()}}
    return decode(PhotosDocument, {"photos": photos}), decode(RegistrationDocument, found)


OK = {"state": "registered", "points": 500, "error": 0.5}
NO = {"state": "not registered", "reason": "too few matches with any other photo"}


def test_a_gap_is_named_by_the_photos_around_it():
    document, found = capture({"A": OK, "B": NO, "C": NO, "D": OK})
    (advice,) = advise(document, found, {})
    assert advice.text == "2 photos (B, C) overlap too little with the rest: take some between A and D."
    assert advice.photos == ["B.jpg", "C.jpg"]


def test_a_gap_at_an_end_is_bridged_to_the_next_one():
    document, found = capture({"A": OK, "B": OK, "C": OK, "D": NO})
    assert "take some between C and D." in advise(document, found, {})[0].text
    document, found = capture({"A": NO, "B": OK, "C": OK})
    assert "take some between A and B." in advise(document, found, {})[0].text


def test_an_unrelated_photo_is_distinguished_from_a_gap():
    """Unrelated photos are not a gap if their neighbors see each other, and at an end."""
    document, found = capture({"A": OK, "B": NO, "C": OK, "tree": NO})
    links = {("A.jpg", "C.jpg"): (200, 300), ("A.jpg", "B.jpg"): (0, 9), ("B.jpg", "tree.jpg"): (0, 4)}
    texts = [item.text for item in advise(document, found, links)]
    for name, text in zip(("B", "tree"), texts, strict=True):
        assert text.startswith(f"1 photo ({name}) has nothing in common")
    assert all("leave it out" in text and "between" not in text for text in texts)
    (advice, _) = advise(document, found, {**links, ("A.jpg", "B.jpg"): (20, 60)})
    assert "overlaps too little with the rest: take some between A and C." in advice.text
    (advice, _) = advise(document, found, {("A.jpg", "B.jpg"): (0, 9)})  # A and C do not see each other
    assert "take some between A and C." in advice.text


def test_a_blurred_photo_is_called_blurred():
    document, found = capture({"A": OK, "B": NO, "C": OK, "D": OK})
    photos = [replace(photo, sharpness=9.0 if photo.name == "B.jpg" else 100.0) for photo in document.photos]
    (advice,) = advise(replace(document, photos=photos), found, {("A.jpg", "C.jpg"): (200, 300)})
    assert advice.text == "B is blurred and could not be registered: take it again, sharp."


def test_another_model_is_joined_where_it_matches_best():
    other = {"state": "other model", "model": 1, "points": 50, "error": 0.5}
    document, found = capture({"A": OK, "B": OK, "C": other, "D": other, "E": other})
    links = {("A.jpg", "D.jpg"): (0, 12), ("B.jpg", "C.jpg"): (0, 3)}
    (advice,) = advise(document, found, links)
    assert "form a separate group: take some between D and A." in advice.text
    (advice,) = advise(document, found, {})  # nothing matches: the nearest in the order taken
    assert "between C and B." in advice.text


def test_loose_and_badly_fitting_photos_are_named():
    states = {name: OK for name in "ABCD"} | {"E": {**OK, "points": 12}, "F": {**OK, "error": 2.3}}
    texts = [item.text for item in advise(*capture(states), {})]
    assert any(text.startswith("E stands on fewer than 40 points") for text in texts)
    assert any(text.startswith("F fits badly (over 1.2 px)") for text in texts)


def test_a_good_capture_needs_no_advice():
    assert advise(*capture({name: OK for name in "ABCD"}), {}) == []


def test_photos_set_aside_are_grouped_by_reason():
    aside = {
        "X": "far too small (20 x 20 pixels)",
        "Y": "far too small (30 x 20 pixels)",
        "Z": "the file is empty",
    }
    texts = [item.text for item in advise(*capture({"A": OK}, aside), {})]
    assert "2 photos are excluded (X.JPG, Y.JPG): far too small." in texts
    assert "Z.JPG is excluded: the file is empty." in texts


def test_before_anything_is_placed_there_is_no_advice():
    document, _ = capture({"A": OK})
    nothing = RegistrationDocument()
    assert advise(document, nothing, {}) == [] and advise(PhotosDocument(photos=[]), nothing, {}) == []

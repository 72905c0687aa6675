"""The learned front-end from pixels to matches, with weights built by hand (planted.py) whose results are known."""

import cv2
import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.models import frontend, precision
from blender_recon3d.pipeline.models import matcher as matching
from blender_recon3d.pipeline.models.efficientnet import prepare_image
from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Features, Matcher, RetrievalEncoder
from tests.support.engine import CAPTURES, NO_CAPTURES
from tests.support.planted import planted_weights

FOUNTAIN = CAPTURES / "fountain-p11"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(planted_weights(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def extractor(folder) -> FeatureExtractor:
    return FeatureExtractor(folder, "cpu", max_keypoints=500, precision="fp32")


@pytest.fixture(scope="module")
def matcher(folder) -> Matcher:
    return Matcher(folder, "cpu")


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A gray image, uint8, with structure of several sizes everywhere."""
    random = np.random.default_rng(seed)
    image = np.full((height, width), 128, np.float32)
    for size in (2, 6, 15):
        noise = random.random((height // size + 2, width // size + 2), dtype=np.float32) - 0.5
        image += 150 * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


def shifted(first: Features, second: Features, matches: np.ndarray, shift) -> np.ndarray:
    """Distance of each match from the known shift, pixels."""
    difference = first.keypoints[matches[:, 0]] - second.keypoints[matches[:, 1]]
    return np.linalg.norm(difference - shift, axis=1)


# --- keypoints


@pytest.mark.parametrize(("factor", "max_size"), [(1, 1600), (2, 160), (3, 160)])
def test_spots_are_found_where_they_are(extractor, monkeypatch, factor, max_size):
    """Bright spots on gray, 2x2 px for the network: each gives the strongest keypoints, half a network pixel
    right of and below its center (the filter's own offset), in pixels of the full photo."""
    corners = np.array([[20, 30], [53, 44], [91, 70], [120, 90], [33, 88]])
    image = np.full((120 * factor, 160 * factor), 128, np.uint8)
    for x, y in corners * factor:
        image[y : y + 2 * factor, x : x + 2 * factor] = 255
    monkeypatch.setattr(extractor, "max_size", max_size)
    features = extractor.extract([image])[0]
    assert features.image_size == (160 * factor, 120 * factor)
    found = features.keypoints[:5]
    expected = (corners + 1.5) * factor
    np.testing.assert_allclose(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)], atol=1e-3)
    assert features.scores[4] > 0.8 > 2 * features.scores[6:].max()


def test_dtypes_and_order(extractor):
    features = extractor.extract([texture(120, 160)])[0]
    count = len(features.keypoints)
    assert count > 50
    assert features.keypoints.shape == (count, 2)
    assert features.descriptors.shape == (count, 256)
    assert {features.keypoints.dtype, features.scores.dtype, features.descriptors.dtype} == {
        np.dtype(np.float32)
    }
    assert (np.diff(features.scores) <= 0).all()
    np.testing.assert_allclose(np.linalg.norm(features.descriptors, axis=1), 1, atol=1e-5)


def test_no_more_keypoints_than_asked_for(folder):
    extractor = FeatureExtractor(folder, "cpu", max_keypoints=7, precision="fp32")
    assert len(extractor.extract([texture(120, 160)])[0].keypoints) == 7


@pytest.mark.parametrize("shape", [(101, 131), (96, 128), (5, 300), (1, 1)])
def test_any_size(extractor, shape):
    features = extractor.extract([texture(*shape)])[0]
    height, width = shape
    assert features.image_size == (width, height)
    if min(shape) > 50:  # right to the border that is left out
        assert features.keypoints[:, 0].max() > width - 4 - 12
        assert features.keypoints[:, 1].max() > height - 4 - 12
    assert (len(features.keypoints) > 0) == (min(shape) > 50)  # the others consist of border only
    inside = (features.keypoints > 4) & (features.keypoints < np.array([width, height]) - 4)
    assert inside.all()


@pytest.mark.parametrize("resolution", [1, 2])
def test_black_of_a_mask_is_ignored(extractor, monkeypatch, resolution):
    image = texture(240, 320, seed=1)
    mask = np.zeros((240 // resolution, 320 // resolution), np.uint8)
    mask[20:100, 30:110] = 255
    mask[40:50, 60:70] = 0
    monkeypatch.setattr(extractor, "max_size", 200)  # resized: a keypoint stands for 1.6 px
    unmasked, masked = extractor.extract([image, image], [None, mask])
    xy = masked.keypoints.astype(int) // resolution
    assert (mask[xy[:, 1], xy[:, 0]] == 255).all()
    assert 10 < len(masked.keypoints) < len(unmasked.keypoints)
    nothing = extractor.extract([image], [np.zeros_like(image)])[0]
    assert nothing.keypoints.shape == (0, 2)
    assert nothing.descriptors.shape == (0, 256)


def test_batches_of_mixed_sizes_give_what_single_photos_give(extractor, monkeypatch):
    images = [texture(*shape, seed=i) for i, shape in enumerate([(96, 120), (80, 80), (96, 119), (80, 80)])]
    monkeypatch.setitem(frontend.PIXELS_PER_BATCH, "cpu", 2 * 96 * 120)
    together = extractor.extract(images)
    for image, features in zip(images, together, strict=True):
        alone = extractor.extract([image])[0]
        assert features.image_size == image.shape[::-1]
        np.testing.assert_array_equal(features.keypoints, alone.keypoints)
        np.testing.assert_allclose(features.descriptors, alone.descriptors, atol=1e-5)


# --- matches


@pytest.mark.parametrize("shift", [(16, 8), (37, 22), (-5, 60)])
def test_a_known_shift_is_recovered(extractor, matcher, shift):
    whole = texture(300, 400, seed=2)
    dx, dy = shift
    first = whole[max(0, -dy) : 230, max(0, -dx) : 310]
    origin = np.array([max(0, dx), max(0, dy)]), np.array([max(0, -dx), max(0, -dy)])
    second = whole[origin[0][1] : origin[0][1] + 230, origin[0][0] : origin[0][0] + 310]
    features = extractor.extract([first, second])
    matches, scores = matcher.match([(features[0], features[1])])[0]
    error = shifted(*features, matches, origin[0] - origin[1])
    assert len(matches) > 80
    assert (
        error < 0.01
    ).mean() > 0.85  # a shift that is not a multiple of 8 moves the cells of the descriptor
    assert scores.min() > 0.2
    assert scores.max() <= 1.001
    assert matches.dtype == np.uint32
    assert len(set(matches[:, 0])) == len(set(matches[:, 1])) == len(matches)


def test_pairs_in_batches_give_what_single_pairs_give(extractor, matcher, monkeypatch):
    whole = texture(260, 300, seed=3)
    crops = [
        whole[y : y + h, x : x + w] for y, x, h, w in ((0, 0, 200, 240), (8, 24, 160, 120), (40, 16, 90, 200))
    ]
    features = extractor.extract([*crops, np.full((64, 64), 9, np.uint8)])
    empty = features[3]
    assert len(empty.keypoints) == 0
    pairs = [(features[i], features[j]) for i, j in ((0, 1), (3, 0), (1, 0), (0, 2), (3, 3), (2, 1), (0, 3))]
    together = matcher.match(pairs)
    monkeypatch.setitem(matching.SCORES_PER_BATCH, "cpu", 1)
    alone = matcher.match(pairs)
    for (matches, scores), (expected, expected_scores) in zip(together, alone, strict=True):
        np.testing.assert_array_equal(matches, expected)
        np.testing.assert_allclose(scores, expected_scores, atol=1e-4)
    counts = [len(matches) for matches, _ in together]
    assert [count > 20 for count in counts] == [True, False, True, True, False, True, False]
    assert [counts[i] for i in (1, 4, 6)] == [0, 0, 0]
    assert together[1][0].shape == (0, 2)
    forward, backward = together[0][0], together[2][0]
    np.testing.assert_array_equal(forward[np.argsort(forward[:, 1])], backward[:, ::-1])
    assert matcher.match([]) == []


@pytest.mark.skipif(not FOUNTAIN.is_dir(), reason=NO_CAPTURES)
def test_neighboring_photos_of_a_fountain_match(folder, matcher):
    """Real photos: most matches lie on the epipolar lines of the measured cameras."""
    extractor = FeatureExtractor(folder, "cpu", max_keypoints=600, max_size=640, precision="fp32")
    names = ("0004", "0005")
    images = [cv2.imread(str(FOUNTAIN / "photos" / f"{name}.jpg"), cv2.IMREAD_GRAYSCALE) for name in names]
    first, second = extractor.extract(images)
    matches, _ = matcher.match([(first, second)])[0]
    fundamental = fundamental_matrix(*names, images[0].shape[1] / 3072)
    ones = np.ones((len(matches), 1))
    a = np.hstack([first.keypoints[matches[:, 0]], ones])
    b = np.hstack([second.keypoints[matches[:, 1]], ones])
    lines = a @ fundamental.T
    distance = np.abs((lines * b).sum(1)) / np.linalg.norm(lines[:, :2], axis=1)
    correct = (distance < 2 * images[0].shape[1] / 640).sum()  # 2 px at the network's image size
    assert correct > 60
    assert correct > 0.6 * len(matches)


def fundamental_matrix(first: str, second: str, scale: float) -> np.ndarray:
    """Of two photos from their truth (Strecha's .camera files), in pixels of photos scaled by `scale`."""
    cameras = []
    for name in (first, second):
        lines = (FOUNTAIN / "truth" / f"{name}.jpg.camera").read_text().split("\n")
        rows = [[float(value) for value in line.split()] for line in lines if line.strip()]
        cameras.append(
            (np.diag([scale, scale, 1]) @ np.array(rows[:3]), np.array(rows[4:7]), np.array(rows[7]))
        )
    (k0, r0, c0), (k1, r1, c1) = cameras
    x, y, z = r1.T @ (c0 - c1)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.linalg.inv(k1).T @ cross @ r1.T @ r0 @ np.linalg.inv(k0)


# --- retrieval


def test_retrieval_descriptors_are_the_networks_pooled_features(folder):
    encoder = RetrievalEncoder(folder, "cpu")
    random = np.random.default_rng(4)
    images = [
        random.integers(0, 256, shape, np.uint8) for shape in ((96, 160, 3), (160, 96, 3), (96, 160, 3))
    ]
    images[2][:, :, 1] //= 2
    found = encoder.encode(images)
    assert found.shape == (3, 1280)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    from torchvision.models import efficientnet_b0

    reference = efficientnet_b0(weights=None).eval()
    reference.features.load_state_dict(encoder.network.features.state_dict())
    reference.classifier = torch.nn.Identity()
    for image, descriptor in zip(images, found, strict=True):
        with torch.inference_mode():
            pooled = reference(prepare_image(image)[None])[0]
        # This random network amplifies rounding: float32 alone is 3e-4 from float64, and another processor, or a
        # batch, rounds differently.
        assert descriptor @ (pooled / pooled.norm()).numpy() > 1 - 1e-3
    assert found[0] @ found[2] < 1 - 1e-3
    assert encoder.encode([]).shape == (0, 1280)


def test_photos_keep_their_shape_for_retrieval():
    assert prepare_image(np.zeros((600, 800, 3), np.uint8)).shape == (3, 240, 320)
    assert prepare_image(np.zeros((800, 600, 3), np.uint8)).shape == (3, 320, 240)
    assert prepare_image(np.zeros((10, 800, 3), np.uint8)).shape == (3, 32, 320)
    white = prepare_image(np.full((64, 64, 3), 255, np.uint8))
    np.testing.assert_allclose(white[0], (1 - 0.485) / 0.229, rtol=1e-5)


# --- devices and precision


def test_devices():
    assert frontend.select_device("cpu") == torch.device("cpu")
    assert frontend.select_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("cuda:99", "gpu", "xpu", "meta"):
        with pytest.raises(UserError) as error:
            frontend.select_device(name)
        assert name in str(error.value)
        assert error.value.exit_code == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_says_what_to_do(folder):
    with pytest.raises(UserError, match=r"'cuda' is not available .*--device cpu"):
        Matcher(folder, "cuda")


def test_bf16_is_used_only_where_it_agrees(folder, extractor):
    """bf16 reproduces these weights' keypoints; whatever is chosen, the network works and stays unchanged."""
    expected = precision.DTYPES[precision.choose(torch.device("cpu")).precision]
    chosen = FeatureExtractor(folder, "cpu")
    assert chosen.network.dtype == expected
    reduced = FeatureExtractor(folder, "cpu", max_keypoints=100, precision="bf16")
    image = texture(96, 96, seed=5)
    exact, rounded = (one.extract([image])[0].keypoints[:40] for one in (extractor, reduced))
    near = np.abs(exact[:, None] - rounded[None]).max(axis=2).min(axis=1) <= 1
    assert near.mean() > 0.8


def test_disagreement_is_detected(extractor):
    network = extractor.network
    with torch.inference_mode():
        points = network(precision.synthetic_image(96, 96))[0]
        other = network(precision.synthetic_image(96, 96).flip(3))[0]
    assert len(points.keypoints) > 20
    assert precision.agrees(points, points)
    assert not precision.agrees(points, other)
    turned = type(points)(points.keypoints, points.scores, points.descriptors.roll(1, dims=0))
    assert not precision.agrees(points, turned)
    few = type(points)(points.keypoints[:5], points.scores[:5], points.descriptors[:5])
    assert not precision.agrees(points, few)
    none = type(points)(points.keypoints[:0], points.scores[:0], points.descriptors[:0])
    assert precision.agrees(none, none)
    assert not precision.agrees(points, none)


def test_missing_weights_are_one_message(tmp_path):
    for make in (FeatureExtractor, Matcher, RetrievalEncoder):
        with pytest.raises(UserError) as error:
            make(str(tmp_path), "cpu")
        assert str(tmp_path) in str(error.value)
        assert "\n" not in str(error.value)

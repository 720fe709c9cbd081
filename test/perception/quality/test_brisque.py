from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from brisque_reference import SCORES, fingerprint, pictures
from hypothesis import given, settings
from hypothesis import strategies as st

from dasha_ros.assets import models
from dasha_ros.assets.convert import brisque_svm
from dasha_ros.perception.errors import ImageError, ModelError
from dasha_ros.perception.quality.brisque import BLANK_SCORE, Brisque, BrisqueModel, _ShapeTable

STRUCTURED = ("noisy", "dark", "blurred", "dark_blurred")
"""Kinds of pictures whose noise leaves no window flat."""


def small_model() -> BrisqueModel:
    random = np.random.default_rng(3)
    return BrisqueModel(
        vectors=random.uniform(-1, 1, (5, 36)),
        coefficients=random.uniform(-10, 10, 5),
        gamma=0.05,
        rho=-50.0,
        minimum=np.full(36, -1.0),
        maximum=np.full(36, 3.0),
    )


@pytest.fixture(scope="module")
def brisque(fetched):
    return Brisque(BrisqueModel.load(fetched(models.BRISQUE)))


@pytest.fixture(scope="module")
def differences(brisque):
    """Our score minus the reference's, by picture."""
    pytest.importorskip("skimage")
    reference = json.loads(SCORES.read_text())
    found = {}
    for name, image in pictures().items():
        assert fingerprint(image) == reference[name]["crc32"], f"{name} is not the picture that was scored"
        found[name] = brisque.score(image) - reference[name]["score"]
    return found


def test_equals_the_reference_where_every_window_has_structure(differences):
    checked = {n: d for n, d in differences.items() if n.split("_", 1)[1] in STRUCTURED}
    assert len(checked) == 28
    assert max(map(abs, checked.values())) < 0.01, checked


def test_is_close_to_the_reference_where_windows_are_flat(differences):
    flat = [abs(d) for n, d in differences.items() if n.split("_", 1)[1] not in STRUCTURED]
    assert max(flat) < 5
    assert np.median(flat) < 0.15


def test_equals_the_reference_package_itself(brisque):
    reference = pytest.importorskip("brisque").BRISQUE()
    random = np.random.default_rng(5)
    for sigma in (0.5, 1.5, 4):
        texture = cv2.GaussianBlur(random.uniform(0, 255, (150, 211)), (0, 0), sigma)
        image = np.clip(texture + random.normal(0, 2, texture.shape), 0, 255).astype(np.uint8)
        assert brisque.score(image) == pytest.approx(reference.score(np.dstack([image] * 3)), abs=0.01)


def test_rises_with_blur(brisque):
    skimage_data = pytest.importorskip("skimage.data")
    camera = skimage_data.camera()
    scores = [brisque.score(cv2.GaussianBlur(camera, (0, 0), s)) for s in (0.3, 1, 2, 4, 8)]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 50


@settings(max_examples=30)
@given(st.integers(16, 60), st.integers(16, 60), st.integers(0, 255), st.integers(0, 40), st.integers(0, 9))
def test_every_image_has_a_finite_score(rows, columns, level, contrast, seed):
    random = np.random.default_rng(seed)
    image = np.clip(level + random.normal(0, contrast / 4, (rows, columns)), 0, 255).astype(np.uint8)
    assert np.isfinite(Brisque(small_model()).score(image))


@pytest.mark.parametrize("level", [0, 255])
def test_blank_image_has_the_worst_score(level):
    image = np.full((64, 64), level, np.uint8)
    if level == 0:
        assert Brisque(small_model()).features(image) is None
        assert Brisque(small_model()).score(image) == BLANK_SCORE
    else:
        assert np.isfinite(Brisque(small_model()).score(image))  # its black border is an edge


@pytest.mark.parametrize(
    "image",
    [np.zeros((15, 90), np.uint8), np.zeros((64, 64), np.float32), np.zeros((64, 64, 3), np.uint8)],
)
def test_other_images_are_refused(image):
    with pytest.raises(ImageError, match="BRISQUE needs"):
        Brisque(small_model()).score(image)


@pytest.mark.parametrize("alpha", [0.06, 0.2, 0.5, 1.0, 2.0, 5.0, 40.0])
def test_table_inverts_the_ratio_of_moments(alpha):
    special = pytest.importorskip("scipy.special")
    ratio = special.gamma(2 / alpha) ** 2 / (special.gamma(1 / alpha) * special.gamma(3 / alpha))
    assert _ShapeTable().alpha(ratio) == pytest.approx(alpha, rel=1e-4)


def test_shape_of_known_distributions():
    random = np.random.default_rng(0)
    brisque = Brisque(small_model())
    normal = brisque._fit(random.normal(0, 2, 400_000).astype(np.float32).reshape(-1, 1000))
    laplace = brisque._fit(random.laplace(0, 2, 400_000).astype(np.float32).reshape(-1, 1000))
    assert normal.alpha == pytest.approx(2, rel=0.03)
    assert normal.left == pytest.approx(2, rel=0.02)
    assert normal.right == pytest.approx(2, rel=0.02)
    assert laplace.alpha == pytest.approx(1, rel=0.03)


def test_prediction_is_a_sum_over_support_vectors():
    model = small_model()
    features = np.linspace(-1, 3, 36)
    scaled = np.linspace(-1, 1, 36)
    kernel = [np.exp(-0.05 * np.sum((scaled - vector) ** 2)) for vector in model.vectors]
    assert model.predict(features) == pytest.approx(np.dot(model.coefficients, kernel) + 50)


def test_model_survives_a_file(tmp_path):
    model = small_model()
    with (tmp_path / "model.npz").open("wb") as file:
        model.save(file)
    again = BrisqueModel.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.vectors, model.vectors)
    assert again.predict(np.zeros(36)) == model.predict(np.zeros(36))


def test_bad_model_files_are_explained(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(ModelError, match="Run the set-up again"):
        BrisqueModel.load(path)
    path.write_bytes(b"not a zip file")
    with pytest.raises(ModelError, match="Cannot read the BRISQUE model"):
        BrisqueModel.load(path)
    np.savez(path, vectors=np.zeros((2, 3)))
    with pytest.raises(ModelError, match="coefficients"):
        BrisqueModel.load(path)
    zeros = np.zeros(36)
    np.savez(
        path, vectors=np.zeros((2, 3)), coefficients=np.zeros(2), gamma=1, rho=0, minimum=zeros, maximum=zeros
    )
    with pytest.raises(ModelError, match="not a BRISQUE model"):
        BrisqueModel.load(path)


SVM = """svm_type epsilon_svr
kernel_type rbf
gamma 0.05
total_sv 2
rho -3.5
SV
1.5 1:0.25 36:-1
-2 2:0.5
"""


def pickled(minimum, maximum):
    import pickle

    return pickle.dumps({"min_": minimum, "max_": maximum})


def test_libsvm_text_is_read():
    model = brisque_svm.convert(SVM, pickled([0.0] * 36, [1.0] * 36))
    assert model.gamma == 0.05
    assert model.rho == -3.5
    np.testing.assert_array_equal(model.coefficients, [1.5, -2])
    assert model.vectors[0, 0] == 0.25
    assert model.vectors[0, 35] == -1
    assert np.count_nonzero(model.vectors) == 3


@pytest.mark.parametrize(
    ("text", "normalisation", "words"),
    [
        (SVM.replace("total_sv 2", "total_sv 3"), pickled([0.0] * 36, [1.0] * 36), "2 of 3 support"),
        (SVM.replace("rbf", "linear"), pickled([0.0] * 36, [1.0] * 36), "linear epsilon_svr"),
        (SVM.replace("36:", "37:"), pickled([0.0] * 36, [1.0] * 36), "not as expected"),
        (SVM, b"junk", "two lists"),
        (SVM, pickled(io.BytesIO(b"x"), [1.0] * 36), "refused to load _io.BytesIO"),
    ],
)
def test_hostile_or_damaged_sources_are_refused(text, normalisation, words):
    with pytest.raises(ModelError, match=words):
        brisque_svm.convert(text, normalisation)

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from efficientnet_reference import NUMBERS, compute, photograph
from onnx import TensorProto, helper

from dasha_ros.assets import models
from dasha_ros.assets.convert import efficientnet_lite
from dasha_ros.perception.encoders import ENCODERS, create_encoder
from dasha_ros.perception.encoders.efficientnet_lite import EfficientNetLite0, EfficientNetLite0Early
from dasha_ros.perception.errors import ModelError, UnknownModelError

EMBEDDED = {
    "efficientnet_lite0": (EfficientNetLite0, models.EFFICIENTNET_LITE0, 224, 1280),
    "efficientnet_lite0_early": (EfficientNetLite0Early, models.EFFICIENTNET_LITE0_EARLY, 448, 224),
}


@pytest.fixture(params=EMBEDDED)
def embedded(request, fetched):
    kind, file, pixels, size = EMBEDDED[request.param]
    fetched(file)
    pytest.importorskip("skimage")
    return kind(), pixels, size


def test_equals_the_reference_on_pytorch(embedded):
    encoder, pixels, size = embedded
    latent = encoder.encode(photograph(pixels))
    assert latent.shape == (size,) == (encoder.size,)
    assert latent.dtype == np.float32
    np.testing.assert_allclose(latent, json.loads(NUMBERS.read_text())[encoder.id], atol=1e-4)


@pytest.mark.torch
def test_reference_numbers_are_those_of_pytorch(fetched):
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch")
    computed = compute(fetched("models/efficientnet-lite0.pth"))
    for name, numbers in json.loads(NUMBERS.read_text()).items():
        np.testing.assert_allclose(computed[name], numbers, atol=5e-5)


@pytest.mark.parametrize("shape", [(340, 640), (480, 640), (640, 480), (40, 300)])
def test_any_frame_gives_a_finite_and_repeatable_vector(embedded, shape):
    encoder, _, size = embedded
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    latent = encoder.encode(image)
    assert latent.shape == (size,)
    assert np.isfinite(latent).all()
    np.testing.assert_array_equal(encoder.encode(image), latent)


def test_latent_moves_away_from_the_sharp_one_with_blur(embedded):
    encoder, _, _ = embedded
    image = cv2.resize(photograph(448), (640, 640))
    sharp = encoder.encode(image)
    distances = [
        np.linalg.norm(encoder.encode(cv2.GaussianBlur(image, (0, 0), sigma)) - sharp)
        for sigma in (1, 2, 4, 8)
    ]
    assert distances == sorted(distances)


def test_early_latent_of_an_even_image_has_no_deviation_inside(fetched):
    fetched(models.EFFICIENTNET_LITE0_EARLY)
    flat = np.full((340, 640), 90, np.uint8)
    noisy = np.clip(flat + np.random.default_rng(0).normal(0, 20, flat.shape), 0, 255).astype(np.uint8)
    encoder = EfficientNetLite0Early()
    deviations = encoder.encode(flat)[112:], encoder.encode(noisy)[112:]
    assert deviations[0].sum() < 0.5 * deviations[1].sum()


def test_unknown_names_are_refused_with_those_that_exist():
    with pytest.raises(UnknownModelError, match=r"no encoder called 'vgg'.*efficientnet_lite0.*resnet152"):
        create_encoder("vgg")
    with pytest.raises(UnknownModelError, match="numpy:Nothing"):
        create_encoder("numpy:Nothing")


class Own:
    """An encoder of somebody's own."""

    id, size = "own", 1

    def __init__(self, **options):
        self.options = options

    def encode(self, grey):
        return np.zeros(1, np.float32)


def test_own_encoders_are_named_by_their_class():
    assert create_encoder(f"{__name__}:Own", a=1).options == {"a": 1}
    with pytest.raises(UnknownModelError, match="OrderedDict of collections has no id and no encode"):
        create_encoder("collections:OrderedDict", a=1)
    ENCODERS.register("own", f"{__name__}:Own")
    try:
        assert "own" in ENCODERS.names
        assert create_encoder("own", b=2).options == {"b": 2}
    finally:
        del ENCODERS._entries["own"]


def save(path, input_name="image", kind=TensorProto.UINT8, **metadata):
    image = helper.make_tensor_value_info(input_name, kind, [1, 1, 224, 224])
    latent = helper.make_tensor_value_info("latent", TensorProto.FLOAT, [1, 1, 224, 224])
    node = helper.make_node("Cast", [input_name], ["latent"], to=TensorProto.FLOAT)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(
        helper.make_graph([node], "g", [image], [latent]), opset_imports=opset, ir_version=8
    )
    helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())


def test_bad_model_files_are_explained(tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    with pytest.raises(ModelError, match="There is no model file"):
        EfficientNetLite0(path)
    path.write_bytes(b"truncated")
    with pytest.raises(ModelError, match="not a model that ONNX Runtime can read"):
        EfficientNetLite0(path)
    save(path, input_name="input")
    with pytest.raises(ModelError, match="another kind: its inputs are"):
        EfficientNetLite0(path)
    save(path, kind=TensorProto.FLOAT)
    with pytest.raises(ModelError, match="another kind"):
        EfficientNetLite0(path)
    save(path)
    with pytest.raises(ModelError, match="holds another network, not the encoder efficientnet_lite0"):
        EfficientNetLite0(path)
    save(path, encoder="efficientnet_lite0")
    with pytest.raises(
        ModelError, match="holds efficientnet_lite0, not the encoder efficientnet_lite0_early"
    ):
        EfficientNetLite0Early(path)
    monkeypatch.setenv("DASHA_ASSETS", str(tmp_path))
    with pytest.raises(ModelError, match=r"models/efficientnet-lite0.onnx is not in"):
        EfficientNetLite0()


def test_tensors_of_another_network_are_refused():
    for build in (efficientnet_lite.build, efficientnet_lite.build_early):
        with pytest.raises(ModelError, match="not those of EfficientNet-Lite0"):
            build({"_conv_stem.weight": np.zeros((32, 3, 3, 3), np.float32)})


@pytest.mark.torch
@pytest.mark.slow
class TestResNet152:
    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torchvision")

    def test_random_weights_run_at_both_precisions(self):
        import torch

        image = np.random.default_rng(0).integers(0, 256, (340, 640), dtype=np.uint8)
        latents = []
        for bfloat16 in (False, True):
            torch.manual_seed(0)
            encoder = create_encoder("resnet152", weights="random", bfloat16=bfloat16)
            assert (encoder.id, encoder.size) == ("resnet152_random", 2048)
            latents.append(encoder.encode(image))
        assert all(latent.shape == (2048,) and np.isfinite(latent).all() for latent in latents)
        cosine = latents[0] @ latents[1] / np.linalg.norm(latents[0]) / np.linalg.norm(latents[1])
        assert cosine > 0.99

    def test_a_local_file_is_loaded_and_equals_torchvisions_own_network(self, tmp_path):
        import torch
        import torchvision

        torch.manual_seed(1)
        net = torchvision.models.resnet152(weights=None).eval()
        path = tmp_path / "weights.pth"
        torch.save(net.state_dict(), path)
        image = np.random.default_rng(0).integers(0, 256, (224, 224), dtype=np.uint8)
        colour = torch.from_numpy(image).expand(3, 224, 224)
        net.fc = torch.nn.Identity()
        preset = torchvision.transforms._presets.ImageClassification(crop_size=224, resize_size=224)
        batch = preset(colour)[None]
        with torch.no_grad():
            expected = net(batch)[0].numpy()
        encoder = create_encoder("resnet152", weights=path)
        assert encoder.id == "resnet152"
        np.testing.assert_allclose(encoder.encode(image), expected, rtol=1e-3, atol=1e-4)

    def test_missing_weights_are_explained(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))

        def no_network(*_args, **_kwargs):
            raise OSError("no route to host")

        monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
        with pytest.raises(ModelError, match=r"resnet152-\w+\.pth \(no route to host\).*copy it into"):
            create_encoder("resnet152")
        with pytest.raises(ModelError, match=r"Cannot get the weights .*nowhere\.pth"):
            create_encoder("resnet152", weights="nowhere.pth")

    def test_weights_of_another_network_are_refused(self, tmp_path):
        import torch

        torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "other.pth")
        with pytest.raises(ModelError, match="belong to another network"):
            create_encoder("resnet152", weights=tmp_path / "other.pth")


def test_missing_torch_is_explained(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ModelError, match=r"run \./scripts/setup --torch, or choose"):
        create_encoder("resnet152")

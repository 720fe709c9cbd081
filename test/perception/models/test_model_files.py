"""A model file's description is read before any library runs its content."""

from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from dasha_ros.perception.detectors.ultralytics import UltralyticsDetector, _checked
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.models.files import facts_of, names_of
from dasha_ros.perception.models.onnx import onnx_facts
from dasha_ros.perception.models.session import model_path


def exported(path: Path, inputs: list, outputs: list[list], **metadata: str) -> Path:
    """An ONNX model with given shapes whose outputs are zeros."""
    nodes, made = [], []
    for number, shape in enumerate(outputs):
        name = f"output{number}"
        whole = [side if isinstance(side, int) else 1 for side in shape]
        zeros = helper.make_tensor(
            f"z{number}", TensorProto.FLOAT, whole, bytes(4 * _product(whole)), raw=True
        )
        nodes.append(helper.make_node("Constant", [], [name], value=zeros))
        made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("images", TensorProto.FLOAT, inputs)], made
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def _product(shape: list[int]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total


SQUARE = [1, 3, 416, 416]


@pytest.mark.parametrize("task", ["segment", "pose", "classify", "obb"])
def test_other_tasks_are_refused_by_their_metadata(tmp_path: Path, task: str) -> None:
    path = exported(tmp_path / "m.onnx", SQUARE, [[1, 84, 100]], task=task, names="{0: 'cat'}")
    with pytest.raises(ModelError, match=rf"m\.onnx: is a model for the task {task}, not a detector"):
        UltralyticsDetector(path, 416)


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ([[1, 116, 100], [1, 32, 104, 104]], "task segment"),
        ([[1, 1000]], "task classify"),
        ([[1, 10647, 85]], "yolov5"),
    ],
)
def test_without_metadata_the_shapes_decide(tmp_path: Path, outputs: list[list], says: str) -> None:
    with pytest.raises(ModelError, match=rf"m\.onnx: .*{says}"):
        UltralyticsDetector(exported(tmp_path / "m.onnx", SQUARE, outputs), 416)


def test_another_size_is_named_with_the_parameter(tmp_path: Path) -> None:
    path = exported(tmp_path / "m.onnx", [1, 3, 640, 640], [[1, 84, 8400]])
    with pytest.raises(ModelError, match=r"640 x 640 pixels, and detector_size_px is 416: set .* to 640"):
        UltralyticsDetector(path, 416)
    facts = _checked(path, 640)
    assert facts.names == tuple(f"class{n}" for n in range(80)), "no name is invented for a class that is not"
    wide = exported(tmp_path / "wide.onnx", [1, 3, 384, 640], [[1, 84, 5040]])
    with pytest.raises(ModelError, match="one number, so export it with imgsz=416"):
        UltralyticsDetector(wide, 416)


def test_a_free_size_fits_every_setting(tmp_path: Path) -> None:
    path = exported(tmp_path / "m.onnx", [1, 3, "h", "w"], [[1, 6, "n"]], task="detect", dynamic="True",
                    imgsz="[640, 640]", names="{0: 'cat', 1: 'dog'}")  # fmt: skip
    facts = _checked(path, 416)
    assert (facts.size, facts.names) == ((), ("cat", "dog"))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("{0: 'cat'}", "the model has 2 classes and 1 name:"),
        ("{0: 'a', 1: 'b', 2: 'c'}", "the model has 2 classes and 3 names"),
        ("{0: 'a', 2: 'b'}", "without a gap"),
        ("{0: 'a', 1: ' '}", "class 1 has no name"),
        ("[", "metadata can't be understood"),
    ],
)
def test_names_must_fit_the_classes(tmp_path: Path, names: str, says: str) -> None:
    path = exported(tmp_path / "m.onnx", SQUARE, [[1, 6, 100]], task="detect", names=names)
    with pytest.raises(ModelError, match=rf"m\.onnx: .*{says}"):
        onnx_facts(path)


def test_folders_are_checked_by_their_metadata(tmp_path: Path) -> None:
    folder = tmp_path / "best_openvino_model"
    folder.mkdir()
    with pytest.raises(ModelError, match=r"openvino_model: is a folder, and its metadata\.yaml"):
        UltralyticsDetector(folder, 416)
    (folder / "metadata.yaml").write_text("task: segment\nimgsz: [416, 416]\nnames: {0: cat}\n")
    with pytest.raises(ModelError, match="task segment"):
        UltralyticsDetector(folder, 416)
    (folder / "metadata.yaml").write_text("task: detect\nimgsz: [640, 640]\nnames: {0: cat}\n")
    with pytest.raises(ModelError, match="detector_size_px to 640"):
        UltralyticsDetector(folder, 416)
    (folder / "metadata.yaml").write_text("task: detect\nimgsz: [416, 416]\nnames: {0: cat}\n")
    assert facts_of(folder).names == ("cat",)


class Reference:
    """Pickled as a reference to a name, whether or not there is such a module."""

    def __init__(self, name: str) -> None:
        self.name = name


class Pickler(pickle._Pickler):
    """Python's pickler, which can also write references to missing modules."""

    def save(self, obj, save_persistent_id=True):
        if not isinstance(obj, Reference):
            return super().save(obj, save_persistent_id)
        module, _, name = obj.name.rpartition(".")
        self.write(b"c" + module.encode() + b"\n" + name.encode() + b"\n")
        return None


def checkpoint(path: Path, *names: str, protocol: int = 2, zipped: bool = True) -> Path:
    import io

    stream = io.BytesIO()
    Pickler(stream, protocol).dump([Reference(name) for name in names])
    if not zipped:
        path.write_bytes(stream.getvalue())
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("best/data.pkl", stream.getvalue())
    return path


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["models.yolo.Model", "torch.nn.modules.conv.Conv2d"], "checkpoint of the yolov5 .* repository"),
        (["collections.OrderedDict", "torch._utils._rebuild_tensor_v2"], "weights without a network"),
        (["torch.nn.modules.container.Sequential"], "none of ultralytics"),
        (["ultralytics.nn.tasks.DetectionModel", "os.system"], r"asks for os\.system"),
        (["builtins.eval"], r"asks for builtins\.eval"),
        (["ultralytics.nn.tasks.PoseModel"], "task pose"),
    ],
)
def test_checkpoints_are_recognised_without_running_them(
    tmp_path: Path, names: list[str], says: str, zipped: bool
) -> None:
    path = checkpoint(tmp_path / "best.pt", *names, zipped=zipped)
    with pytest.raises(ModelError, match=rf"best\.pt: .*{says}") as caught:
        UltralyticsDetector(path, 416)
    assert "download it from" not in str(caught.value), "it is here: no download helps"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"PK\x03\x04 torn", "cut short or damaged"),
        (b"\x80\x02 torn", "cut short or damaged"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG picture, not a checkpoint"),
        (b"hello", "not a checkpoint"),
    ],
)
@pytest.mark.parametrize("ending", ["pt", "onnx"])
def test_files_that_are_not_models_are_named(tmp_path: Path, content: bytes, says: str, ending: str) -> None:
    path = tmp_path / f"best.{ending}"
    path.write_bytes(content)
    expected = (
        says
        if ending == "pt" or "is " in says[:6] or "LFS" in says or "page" in says
        else "not an ONNX model"
    )
    with pytest.raises(ModelError, match=rf"best\.{ending}: .*({expected}|not an ONNX model)") as caught:
        UltralyticsDetector(path, 416)
    assert "download it from" not in str(caught.value)


def test_a_torchscript_with_a_wrong_ending_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "best.pt", "w") as archive:
        archive.writestr("best/constants.pkl", b"")
        archive.writestr("best/data.pkl", b"")
    with pytest.raises(ModelError, match=r"best\.pt: is a TorchScript"):
        UltralyticsDetector(tmp_path / "best.pt", 416)


@pytest.mark.torch
@pytest.mark.slow
def test_a_checkpoint_with_fewer_names_than_classes_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tasks = pytest.importorskip("ultralytics.nn.tasks")
    model = tasks.DetectionModel(tasks.yaml_model_load("yolov8n.yaml"), nc=2, verbose=False)
    path = tmp_path / "best.pt"
    for names, says in (({0: "cat"}, "the model has 2 classes and 1 name"), ({0: "cat", 1: "dog"}, "")):
        model.names = names
        torch.save({"model": model, "train_args": {"task": "detect"}, "epoch": -1}, path)
        if says:
            with pytest.raises(ModelError, match=rf"best\.pt: {says}"):
                UltralyticsDetector(path, 416)
        else:
            assert UltralyticsDetector(path, 416).labels == ("cat", "dog")


def with_weights_in(path: Path, place: str, deep: bool = False) -> Path:
    """A model that adds four weights from another file; ``deep``: in a branch of its graph."""
    weights = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("offset", "0"), ("location", place), ("length", "16")):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    if deep:
        branch = helper.make_graph(
            [helper.make_node("Constant", [], ["y"], value=weights)], "branch", [], [y]
        )
        always = helper.make_tensor("always", TensorProto.BOOL, [], [True])
        nodes = [
            helper.make_node("Constant", [], ["if"], value=always),
            helper.make_node("If", ["if"], ["y"], then_branch=branch, else_branch=branch),
        ]
        graph = helper.make_graph(nodes, "g", [x], [y])
    else:
        graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    "place", ["../secret.bin", "/dev/zero", "sub/../../secret.bin", "..", "", "link.bin", "gone.bin"]
)
def test_weights_are_taken_from_beside_the_model_only(tmp_path: Path, place: str, deep: bool) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = with_weights_in(folder / "m.onnx", place, deep)
    for opened in (onnx_facts, lambda path: model_path(path, "")):
        with pytest.raises(ModelError, match="its weights"):
            opened(path)


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    path = with_weights_in(tmp_path / "m.onnx", "w.bin")
    assert model_path(path, "") == path
    with pytest.raises(ModelError, match="not one picture"):  # opened, and found to be no detector
        onnx_facts(path)


def test_without_the_package_a_doubtful_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(16))
    path = with_weights_in(tmp_path / "m.onnx", "w.bin")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match="`pip install onnx`"):
        onnx_facts(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    script, checkpoint = tmp_path / "m.torchscript", tmp_path / "m.pt"
    for path, member in ((script, "m/extra/config.txt"), (checkpoint, "m/data.pkl")):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, bytes(2**28 + 1))
        assert path.stat().st_size < 2**20
        with pytest.raises(ModelError, match="unpacks to more"):
            facts_of(path)


@pytest.mark.parametrize(
    ("inputs", "metadata", "says"),
    [
        ([4, 3, 416, 416], {}, "takes 4 pictures at once"),
        ([4, 3, 416, 416], {"batch": "2"}, "takes 4 pictures at once"),
        (SQUARE, {"imgsz": "[640, 640]"}, "metadata says pictures of 640 x 640 .* takes 416 x 416"),
        ([1, 3, 320, 416], {"imgsz": "[416, 320]"}, "pictures of 320 x 416 pixels, .* takes 416 x 320"),
    ],
)
def test_a_graph_that_takes_other_pictures_is_refused_before_the_first(
    tmp_path: Path, inputs: list, metadata: dict, says: str
) -> None:
    path = exported(tmp_path / "m.onnx", inputs, [[inputs[0], 6, 100]], task="detect", **metadata)
    with pytest.raises(ModelError, match=rf"m\.onnx: .*{says}"):
        onnx_facts(path)
    batch = exported(tmp_path / "b.onnx", inputs, [[inputs[0], 6, 100]], task="detect", batch=str(inputs[0]))
    assert onnx_facts(batch).size == tuple(inputs[2:]), "ultralytics repeats the picture"


@pytest.mark.parametrize("names", [None, [], {}, 7, "cat"])
def test_names_that_are_none_are_refused_in_words(names: object) -> None:
    with pytest.raises(ValueError, match="names"):
        names_of(names)


@pytest.mark.parametrize("ending", ["", ".weights"])
@pytest.mark.torch
def test_a_name_that_tells_no_kind_is_refused_in_one_line(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("ultralytics")
    path = exported(tmp_path / "m.onnx", SQUARE, [[1, 84, 3549]])
    path = path.rename(tmp_path / f"best{ending}")
    with pytest.raises(ModelError, match=r"its name (ends in|has no ending)") as said:
        UltralyticsDetector(path, 416)
    assert "\n" not in str(said.value)


@pytest.mark.torch
@pytest.mark.slow
def test_a_checkpoint_whose_network_names_no_classes_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tasks = pytest.importorskip("ultralytics.nn.tasks")
    model = tasks.DetectionModel(tasks.yaml_model_load("yolov8n.yaml"), nc=2, verbose=False)
    path = tmp_path / "best.pt"
    torch.save(model, path)
    with pytest.raises(ModelError, match=r"best\.pt: .*names no classes"):
        UltralyticsDetector(path, 416)
    model.names = None
    torch.save({"model": model, "train_args": {"task": "detect"}}, path)
    with pytest.raises(ModelError, match=r"best\.pt: .*names no classes"):
        UltralyticsDetector(path, 416)
    del model.names
    torch.save({"model": model, "train_args": {"task": "detect"}}, path)
    with pytest.raises(ModelError, match=r"best\.pt: .*names no classes"):
        UltralyticsDetector(path, 416)

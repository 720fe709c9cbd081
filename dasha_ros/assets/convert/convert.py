"""Which file is converted from which, and which of them are up to date."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dasha_ros.assets import models
from dasha_ros.assets.catalogue import CONVERTED
from dasha_ros.files.writing import disk_errors, write_whole
from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.labels import canonical

RAW_SHA256: Mapping[str, str] = {
    "models/yolov3-tiny.weights": "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
    "models/yolov3-tiny.cfg": "4349b56496c065b353d40d786a28ad6e7758780db8124a22342458f780f4ff00",
    "models/coco.names": "33c77761e124cc74911346865e3bc1219b87c2db7d0f106e3376bf5ef3785933",
    "models/efficientnet-lite0.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "models/nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "models/nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    "models/centernet.json": "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
    "models/centernet.bin": "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
    "models/brisque_svm.txt": "19526fb799c4c7992ccc109fcfecddb25976ba024b194cd3ee275d27e8909c8d",
    "models/brisque_normalize.pickle": "a91753fe7088efe0b40e4d091315201fdb067966fc6785cf465e1eab060acda9",
}
"""Hashes of the raw files by logical name; the converters were tested with these."""

_VERSION = 2
"""Raise it when a converter changes, so that all files are converted again."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    sources: tuple[str, ...]
    convert: Callable[[Mapping[str, bytes]], bytes]
    optional: bool = False
    """Whether it is left out where its first source was not fetched."""


def _yolov3_tiny(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import darknet

    labels = _labels(raw)
    cfg = raw["models/yolov3-tiny.cfg"].decode()
    return bytes(darknet.convert(cfg, raw["models/yolov3-tiny.weights"], labels).SerializeToString())


def _labels(raw: Mapping[str, bytes]) -> list[str]:
    return [canonical(line) for line in raw["models/coco.names"].decode().split("\n") if line]


def _nanodet(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import other_detectors

    files = raw["models/nanodet.json"], raw["models/nanodet.bin"]
    return bytes(other_detectors.nanodet(*files, _labels(raw)).SerializeToString())


def _centernet(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import other_detectors

    files = raw["models/centernet.json"], raw["models/centernet.bin"]
    return bytes(other_detectors.centernet(*files, _labels(raw)).SerializeToString())


def _efficientnet_lite0(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import efficientnet_lite, torch_file

    tensors = torch_file.read_state_dict(io.BytesIO(raw["models/efficientnet-lite0.pth"]))
    return bytes(efficientnet_lite.build(tensors).SerializeToString())


def _efficientnet_lite0_early(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import efficientnet_lite, torch_file

    tensors = torch_file.read_state_dict(io.BytesIO(raw["models/efficientnet-lite0.pth"]))
    return bytes(efficientnet_lite.build_early(tensors).SerializeToString())


def _efficientnet_lite0_grid(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import efficientnet_lite, torch_file

    tensors = torch_file.read_state_dict(io.BytesIO(raw["models/efficientnet-lite0.pth"]))
    return bytes(efficientnet_lite.build_grid(tensors).SerializeToString())


def _brisque(raw: Mapping[str, bytes]) -> bytes:
    from dasha_ros.assets.convert import brisque_svm

    text = raw["models/brisque_svm.txt"].decode()
    model = brisque_svm.convert(text, raw["models/brisque_normalize.pickle"])
    file = io.BytesIO()
    model.save(file)
    return file.getvalue()


_PTH = ("models/efficientnet-lite0.pth",)
_DARKNET = ("models/yolov3-tiny.cfg", "models/yolov3-tiny.weights", "models/coco.names")
_RECIPES: Mapping[str, _Recipe] = {
    models.YOLOV3_TINY: _Recipe(_DARKNET, _yolov3_tiny),
    models.EFFICIENTNET_LITE0: _Recipe(_PTH, _efficientnet_lite0),
    models.EFFICIENTNET_LITE0_EARLY: _Recipe(_PTH, _efficientnet_lite0_early),
    models.EFFICIENTNET_LITE0_GRID: _Recipe(_PTH, _efficientnet_lite0_grid),
    models.BRISQUE: _Recipe(("models/brisque_svm.txt", "models/brisque_normalize.pickle"), _brisque),
    models.NANODET: _Recipe(
        ("models/nanodet.json", "models/nanodet.bin", "models/coco.names"), _nanodet, optional=True
    ),
    models.CENTERNET: _Recipe(
        ("models/centernet.json", "models/centernet.bin", "models/coco.names"), _centernet, optional=True
    ),
}


def convert_all(folder: Path, progress: Callable[[str], None]) -> list[Path]:
    """See `dasha_ros.assets.convert.convert_all`."""
    stamps = _read_stamps(folder)
    wanted = {
        name: recipe
        for name, recipe in _RECIPES.items()
        if not recipe.optional or (folder / recipe.sources[0]).is_file()
    }
    for name, recipe in wanted.items():
        stamp = f"{_VERSION}:{'+'.join(RAW_SHA256[source] for source in recipe.sources)}"
        made = stamps.get(name, {})
        if made.get("from") == stamp and made.get("sha256") == _sha256_of(folder / name):
            progress(f"up to date: {name}")
            continue
        progress(f"converting: {name}")
        content = recipe.convert({source: _read_raw(folder, source) for source in recipe.sources})
        _write(folder / name, content)
        stamps[name] = {"from": stamp, "sha256": hashlib.sha256(content).hexdigest()}
        _write(folder / CONVERTED, json.dumps(stamps, indent=2).encode())
    return [folder / name for name in wanted]


def _read_raw(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"Cannot read {path} ({error.strerror}); fetch the models again.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != RAW_SHA256[name]:
        raise ModelError(
            f"{path} is corrupt or another file: its sha256 is {found}, expected {RAW_SHA256[name]}. "
            "Delete it and fetch the models again."
        )
    return content


def _read_stamps(folder: Path) -> dict[str, dict[str, str]]:
    """The record of conversions; empty if it is missing or damaged."""
    try:
        stamps = json.loads((folder / CONVERTED).read_text())
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}


def _sha256_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _write(path: Path, content: bytes) -> None:
    with disk_errors(ModelError, path):
        write_whole(path, content)

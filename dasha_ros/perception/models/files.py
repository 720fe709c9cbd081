"""Reads the description of a model file before any library runs its content.

A ``.pt`` is a pickle, so loading it runs its author's code. This module does not unpickle: it lists the
names that a pickle would import, and refuses names that no network needs. That is not a sandbox: only use
files from people you trust.
"""

from __future__ import annotations

import ast
import json
import pickletools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dasha_ros.files.content import is_pickle, kind_of, placeholder
from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError, first_line
from dasha_ros.files.regular import check_regular, read_head
from dasha_ros.perception.errors import ModelError

METADATA = "metadata.yaml"
"""File that ultralytics writes into every exported folder."""
MOST_PICKLE_BYTES = 2**28
_MOST_TEXT_BYTES = 2**22
_TASKS = {
    "SegmentationModel": "segment", "PoseModel": "pose", "ClassificationModel": "classify",
    "OBBModel": "obb", "DetectionModel": "detect", "WorldModel": "detect", "RTDETRDetectionModel": "detect",
}  # fmt: skip
_HARMFUL = {
    "os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "ctypes", "importlib", "runpy", "pty",
    "webbrowser", "pickle", "marshal", "code", "builtins.eval", "builtins.exec", "builtins.compile",
    "builtins.__import__", "builtins.open", "builtins.getattr", "__builtin__.eval", "__builtin__.exec",
    "__builtin__.compile", "__builtin__.getattr", "__builtin__.open", "__builtin__.__import__",
}  # fmt: skip


@dataclass(frozen=True)
class ModelFacts:
    """The description of a model file; empty where the file has none."""

    task: str = ""
    size: tuple[int, ...] = ()
    """Height and width of the input, if they are fixed."""
    names: tuple[str, ...] | None = None


def check_file(path: Path) -> None:
    """Refuse files that can't be a model of any format.

    Raises:
        ModelError: The file does not exist, or is empty, a web page, a Git LFS pointer, a pipe, ...
    """
    try:
        check_regular(path)
        if why := placeholder(read_head(path)):
            raise FileError(path, why)
    except FileError as error:
        raise ModelError(f"The model {error}.") from error


def facts_of(path: Path) -> ModelFacts:
    """Read the description of a file or folder of ultralytics.

    Raises:
        ModelError: It is damaged, is not a model, or belongs to another project.
    """
    if path.is_dir():
        return _of_folder(path)
    check_file(path)
    try:
        if path.suffix.lower() in {".pt", ".pth"}:
            return _of_checkpoint(path)
        if path.suffix.lower() == ".torchscript":
            return _of_torchscript(path)
    except FileError as error:
        raise ModelError(f"The model {error}.") from error
    except Exception as error:  # a damaged zip or pickle can raise anything
        raise ModelError(
            f"The model {path}: is cut short or damaged ({first_line(error)}): copy or download it again."
        ) from error
    return ModelFacts()


def facts_from(path: Path, metadata: Mapping[str, Any]) -> ModelFacts:
    """Read the metadata of an exported model.

    Raises:
        ModelError: Its names or its size are invalid.
    """
    task, names, size = (_plain(metadata.get(key)) for key in ("task", "names", "imgsz"))
    fixed = not bool(_plain(metadata.get("dynamic")))
    try:
        sides = (
            ()
            if size is None or not fixed
            else tuple(map(int, size if isinstance(size, list | tuple) else [size]))
        )
        return ModelFacts(
            str(task or ""), sides * (2 // max(1, len(sides))), None if names is None else names_of(names)
        )
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The model {path}: its metadata can't be understood: {first_line(error)}."
        ) from error


def names_of(names: Any) -> tuple[str, ...]:
    """Names of the classes in order, from a list or a dictionary by number.

    Raises:
        ValueError: A number or a name is missing.
    """
    if isinstance(names, str):
        raise ValueError(f"its names are the text {names[:40]!r}")
    if not isinstance(names, Mapping | list | tuple) or not names:
        raise ValueError("it names no classes")
    found = names if isinstance(names, Mapping) else dict(enumerate(names))
    found = {int(number): str(name).strip() for number, name in found.items()}
    if sorted(found) != list(range(len(found))):
        raise ValueError(f"its names are numbered {sorted(found)[:10]}, not 0, 1, 2, ... without a gap")
    if empty := [number for number, name in sorted(found.items()) if not name]:
        raise ValueError(f"its class {empty[0]} has no name")
    return tuple(found[number] for number in range(len(found)))


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value


def _of_folder(path: Path) -> ModelFacts:
    try:
        document = read_yaml(path / METADATA)
    except FileError as error:
        raise ModelError(
            f"The model {path}: is a folder, and its {METADATA} can't be used ({error.reason}): give a "
            "folder that ultralytics exported, as it is."
        ) from error
    if not isinstance(document, dict):
        raise ModelError(f"The model {path}: its {METADATA} holds no keys: export the model again.")
    return facts_from(path, document)


def _of_torchscript(path: Path) -> ModelFacts:
    with zipfile.ZipFile(path) as archive:
        texts = [name for name in archive.namelist() if name.endswith("extra/config.txt")]
        if not texts:
            return ModelFacts()
        if archive.getinfo(texts[0]).file_size > _MOST_TEXT_BYTES:
            raise FileError(path, "unpacks to more than a description holds")
        document = json.loads(archive.read(texts[0]))
    return facts_from(path, document if isinstance(document, dict) else {})


def _of_checkpoint(path: Path) -> ModelFacts:
    head = read_head(path)
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            if any(name.endswith("constants.pkl") for name in members):
                raise FileError(path, "is a TorchScript: rename it to .torchscript")
            pickles = [name for name in members if name.endswith("/data.pkl")]
            if not pickles:
                raise FileError(path, "is a ZIP archive, but no checkpoint of PyTorch")
            if archive.getinfo(pickles[0]).file_size > MOST_PICKLE_BYTES:
                raise FileError(path, "unpacks to more than a checkpoint holds")
            asked = _names_asked_for(archive.read(pickles[0]))
    elif is_pickle(head):
        if path.stat().st_size > MOST_PICKLE_BYTES:
            return ModelFacts()
        asked = _names_asked_for(path.read_bytes(), several=True)
    else:
        raise FileError(path, f"is {kind_of(head) or 'something else'}, not a checkpoint of PyTorch")
    return _judged(path, asked)


def _judged(path: Path, asked: set[str]) -> ModelFacts:
    for name in sorted(asked):
        if name in _HARMFUL or name.split(".")[0] in _HARMFUL:
            raise FileError(
                path, f"asks for {name}, which no network needs: it may be hostile and is not opened"
            )
    if any(name.startswith(("models.yolo.", "models.common.", "models.experimental.")) for name in asked):
        raise FileError(
            path,
            "is a checkpoint of the yolov5 (or yolov7) repository, which the package ultralytics can't read: "
            "give one that ultralytics trained (the published ones end in u: yolov5nu.pt)",
        )
    if not any(name.startswith("ultralytics.") for name in asked):
        if any(name.startswith("torch.nn.") for name in asked):
            raise FileError(path, "holds a network of PyTorch that is none of ultralytics")
        raise FileError(
            path,
            "holds weights without a network (a state_dict): give the whole checkpoint that training wrote",
        )
    tasks = [task for model, task in _TASKS.items() if f"ultralytics.nn.tasks.{model}" in asked]
    return ModelFacts(tasks[0] if tasks else "")


def _names_asked_for(content: bytes, several: bool = False) -> set[str]:
    """Full names of everything that a pickle would import, found without running it."""
    asked: set[str] = set()
    begin = 0
    while True:
        texts: list[str] = []
        memo: dict[int, str] = {}
        for opcode, argument, position in pickletools.genops(content[begin:]):
            if opcode.name == "GLOBAL":
                asked.add(str(argument).replace(" ", ".", 1))
            elif opcode.name == "STACK_GLOBAL":
                asked.add(".".join(texts[-2:]))
            elif "UNICODE" in opcode.name or opcode.name in {"STRING", "BINSTRING", "SHORT_BINSTRING"}:
                texts.append(str(argument))
            elif opcode.name == "MEMOIZE":
                memo[len(memo)] = texts[-1] if texts else ""
            elif opcode.name in {"BINGET", "LONG_BINGET", "GET"} and argument in memo:
                texts.append(memo[int(argument)])
            end = position or 0
        begin += end + 1
        if not several or not is_pickle(content[begin : begin + 4]):
            return asked

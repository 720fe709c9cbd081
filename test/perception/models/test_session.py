"""Where ONNX models run."""

from __future__ import annotations

from typing import Any

import onnxruntime
import pytest

from dasha_ros.assets import models
from dasha_ros.perception.models.session import OnnxSession


@pytest.mark.parametrize(
    ("built_for", "asked"),
    [
        (["CPUExecutionProvider"], ["CPUExecutionProvider"]),
        (
            ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
            ["CUDAExecutionProvider", "CPUExecutionProvider"],
        ),
    ],
)
def test_a_gpu_is_used_if_the_runtime_has_one(
    fetched: Any, monkeypatch: pytest.MonkeyPatch, built_for: list[str], asked: list[str]
) -> None:
    seen: list[list[str]] = []
    real = onnxruntime.InferenceSession

    def session(path: Any, options: Any, providers: list[str]) -> Any:
        seen.append(providers)
        return real(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: built_for)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    OnnxSession(fetched(models.EFFICIENTNET_LITE0), threads=1)
    assert seen == [asked]

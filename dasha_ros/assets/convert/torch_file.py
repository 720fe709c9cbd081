"""Reads tensors from a PyTorch file without PyTorch, and without running the file's code.

The format is the one that ``torch.save`` wrote before version 1.6: a magic
number, a protocol version, the machine's sizes and the object as four pickles,
then the keys of the storages as a fifth, then each storage as an 8-byte count
and raw values (``torch/serialization.py``, ``_legacy_save``). A pickle can
call any function by name; this reader knows three names and refuses all others.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dasha_ros.perception.errors import ModelError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage:
    """Values that tensors view; filled after the pickles have been read."""

    def __init__(self, dtype: np.dtype[Any], size: int) -> None:
        self.dtype = dtype
        self.size = size
        self.values: NDArray[Any] | None = None


class _Tensor:
    """A view of a storage, resolved once the storage has its values."""

    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
    ) -> None:
        self._storage, self._offset, self._shape, self._stride = storage, offset, shape, stride

    def resolve(self) -> NDArray[Any]:
        values = self._storage.values
        if values is None:
            raise ValueError("a tensor has no values")
        last = self._offset + sum((n - 1) * s for n, s in zip(self._shape, self._stride, strict=True))
        if self._offset < 0 or min(self._stride, default=0) < 0 or last >= values.size:
            raise ValueError("a tensor reaches beyond its values")
        strides = [s * values.itemsize for s in self._stride]
        view = np.lib.stride_tricks.as_strided(values[self._offset :], self._shape, strides)
        return view.copy()


class _TensorUnpickler(pickle.Unpickler):
    """Reads ordered dictionaries and tensors, and refuses every other name."""

    _KNOWN: dict[tuple[str, str], Callable[..., Any] | str] = {  # noqa: RUF012
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        **{("torch", name): name for name in _DTYPES},
    }

    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused to load {module}.{name}") from None

    def persistent_load(self, identity: Any) -> _Storage:
        kind, storage_type, key, _location, size, view = identity
        dtype = _DTYPES.get(storage_type)
        if kind != "storage" or dtype is None or view is not None:
            raise pickle.UnpicklingError(f"refused to load a {kind} of {storage_type}")
        return self.storages.setdefault(key, _Storage(dtype, size))


def read_state_dict(file: io.BufferedIOBase) -> dict[str, NDArray[Any]]:
    """Read the named tensors of a model as numpy arrays.

    Args:
        file: Open for reading; the module describes the format.

    Raises:
        ModelError: The file is truncated, has another format, or asks to run code.
    """
    try:
        return _read(file)
    except Exception as error:  # a hostile pickle can raise anything
        raise ModelError(
            f"This is not a PyTorch file of plain tensors in the format before version 1.6 ({error})."
        ) from error


def _read(file: io.BufferedIOBase) -> dict[str, NDArray[Any]]:
    if _TensorUnpickler(file).load() != _MAGIC or _TensorUnpickler(file).load() != _PROTOCOL:
        raise ValueError("the magic number or the protocol version is another")
    if not _TensorUnpickler(file).load()["little_endian"]:
        raise ValueError("its numbers are big-endian")
    unpickler = _TensorUnpickler(file)
    tensors = unpickler.load()
    for key in _TensorUnpickler(file).load():
        storage = unpickler.storages[key]
        count = int.from_bytes(file.read(8), "little")
        data = file.read(storage.size * storage.dtype.itemsize)
        if count != storage.size or len(data) != storage.size * storage.dtype.itemsize:
            raise ValueError("its values are cut short")
        storage.values = np.frombuffer(data, storage.dtype)
    return {str(name): tensor.resolve() for name, tensor in tensors.items()}

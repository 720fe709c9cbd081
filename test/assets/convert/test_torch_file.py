from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from dasha_ros.assets.convert.torch_file import read_state_dict
from dasha_ros.perception.errors import ModelError

MAGIC = 0x1950A86A20F9469CFC6C


class Name:
    """Pickled as a reference to ``module.name``, whether or not such a module is installed."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Storage:
    def __init__(self, key: str, values: np.ndarray) -> None:
        self.key, self.values = key, values


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: tuple, stride: tuple) -> None:
        self.arguments = (storage, offset, shape, stride, False, OrderedDict())


class Writer(pickle._Pickler):
    """Writes the way that ``torch.save`` did before version 1.6, without torch."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Name):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Name("torch._utils", "_rebuild_tensor_v2"))
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        kind = {"f": "FloatStorage", "i": "LongStorage", "d": "DoubleStorage"}[
            "d" if obj.values.dtype == np.float64 else obj.values.dtype.kind
        ]
        return ("storage", Name("torch", kind), obj.key, "cpu", obj.values.size, None)


def legacy_file(tensors, storages, magic=MAGIC, little_endian=True) -> bytes:
    file = io.BytesIO()
    sizes = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": {}}
    for part in (magic, 1001, sizes, OrderedDict(tensors), [s.key for s in storages]):
        Writer(file, 2).dump(part)
    for storage in storages:
        file.write(struct.pack("<q", storage.values.size) + storage.values.tobytes())
    return file.getvalue()


WEIGHTS = Storage("7", np.arange(12, dtype=np.float32))
COUNT = Storage("9", np.array([41], dtype=np.int64))


def test_tensors_are_views_of_storages():
    content = legacy_file(
        {
            "plain": Tensor(WEIGHTS, 0, (3, 4), (4, 1)),
            "transposed": Tensor(WEIGHTS, 0, (4, 3), (1, 4)),
            "part": Tensor(WEIGHTS, 5, (2,), (3,)),
            "scalar": Tensor(COUNT, 0, (), ()),
        },
        [WEIGHTS, COUNT],
    )
    found = read_state_dict(io.BytesIO(content))
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(found["plain"], matrix)
    np.testing.assert_array_equal(found["transposed"], matrix.T)
    np.testing.assert_array_equal(found["part"], [5, 8])
    assert found["scalar"] == 41
    assert found["plain"].dtype == np.float32


@pytest.mark.parametrize(
    "content",
    [
        legacy_file({"hostile": Name("os", "system")}, []),
        legacy_file({"hostile": Name("builtins", "eval")}, []),
        legacy_file({"hostile": Name("torch", "load")}, []),
    ],
)
def test_names_of_functions_are_refused(content):
    with pytest.raises(ModelError, match="refused to load"):
        read_state_dict(io.BytesIO(content))


def test_a_pickle_that_calls_a_function_calls_nothing(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    for content in (pickle.dumps(Hostile()), pickle.dumps(MAGIC, 2) + pickle.dumps(Hostile())):
        with pytest.raises(ModelError, match="refused to load"):
            read_state_dict(io.BytesIO(content))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(WEIGHTS, 0, (13,), (1,)),
        Tensor(WEIGHTS, 12, (1,), (1,)),
        Tensor(WEIGHTS, -1, (2,), (1,)),
        Tensor(WEIGHTS, 4, (3,), (-1,)),
        Tensor(WEIGHTS, 0, (2, 2), (1 << 40, 1)),
    ],
)
def test_tensors_cannot_reach_beyond_their_storage(tensor):
    with pytest.raises(ModelError, match="beyond its values"):
        read_state_dict(io.BytesIO(legacy_file({"t": tensor}, [WEIGHTS])))


GOOD = legacy_file({"plain": Tensor(WEIGHTS, 0, (3, 4), (4, 1))}, [WEIGHTS])


@pytest.mark.parametrize("length", [0, 1, 10, 60, len(GOOD) // 2, len(GOOD) - 40, len(GOOD) - 1])
def test_truncated_files_are_refused(length):
    with pytest.raises(ModelError, match="not a PyTorch file"):
        read_state_dict(io.BytesIO(GOOD[:length]))


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 a zip file of a newer version",
        legacy_file({}, [], magic=1),
        legacy_file({}, [], little_endian=False),
        legacy_file({"d": Tensor(Storage("1", np.zeros(2)), 0, (2,), (1,))}, []),
    ],
)
def test_other_formats_are_refused(content):
    with pytest.raises(ModelError, match="not a PyTorch file"):
        read_state_dict(io.BytesIO(content))


@pytest.mark.torch
def test_reads_files_of_pytorch():
    torch = pytest.importorskip("torch")
    base = torch.arange(24, dtype=torch.float32)
    state = OrderedDict(
        a=base.reshape(4, 6), b=base.reshape(4, 6).T[1:3], n=torch.tensor(5), c=torch.rand(2, 3)
    )
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    found = read_state_dict(file)
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())

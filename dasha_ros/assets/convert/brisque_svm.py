"""Converts the BRISQUE model of the package ``brisque`` into plain arrays.

``svm.txt`` is libsvm's text format; ``normalize.pickle`` is a pickle of two
lists. A pickle can call any function by name, so this reader refuses all names.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from dasha_ros.perception.errors import ModelError
from dasha_ros.perception.quality.brisque import FEATURES, BrisqueModel


class _PlainUnpickler(pickle.Unpickler):
    """Reads only lists, dictionaries, texts and numbers."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"refused to load {module}.{name}")


def convert(svm_text: str, normalisation: bytes) -> BrisqueModel:
    """Convert the content of both files.

    Raises:
        ModelError: A file has another format.
    """
    try:
        ranges = _PlainUnpickler(io.BytesIO(normalisation)).load()
        minimum, maximum = (np.array(ranges[key], dtype=np.float64) for key in ("min_", "max_"))
    except Exception as error:  # a hostile pickle can raise anything
        raise ModelError(f"The BRISQUE normalisation is not a pickle of two lists ({error}).") from error
    try:
        header, _, body = svm_text.partition("SV\n")
        options = dict(line.split(" ", 1) for line in header.splitlines())
        if (options["svm_type"], options["kernel_type"]) != ("epsilon_svr", "rbf"):
            raise ValueError(f"it is a {options['kernel_type']} {options['svm_type']}")
        rows = body.splitlines()
        if len(rows) != int(options["total_sv"]):
            raise ValueError(f"it has {len(rows)} of {options['total_sv']} support vectors")
        vectors = np.zeros((len(rows), FEATURES))
        coefficients = np.zeros(len(rows))
        for i, row in enumerate(rows):
            coefficient, *entries = row.split()
            coefficients[i] = float(coefficient)
            for entry in entries:  # libsvm counts features from 1 and leaves out zeros
                index, value = entry.split(":")
                vectors[i, int(index) - 1] = float(value)
        return BrisqueModel(
            vectors, coefficients, float(options["gamma"]), float(options["rho"]), minimum, maximum
        )
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError(f"The BRISQUE support vectors are not as expected: {error}.") from error

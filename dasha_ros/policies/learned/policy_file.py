"""Learned policies on disk: one ``.npz`` with the numbers and what they were made for.

A policy fits one encoder and one table of exposures, and one lens if its actions are positions, which the
file names. Anything else is rejected, when a file is loaded or an episode begins, with a sentence that says
what to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dasha_ros.files import version_0_1
from dasha_ros.files.arrays import read_arrays
from dasha_ros.files.documents import parse_json
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded
from dasha_ros.files.writing import disk_errors, replacing
from dasha_ros.perception.encoders.joint import SEPARATOR, has_part
from dasha_ros.policies.learned.network import PolicyNet
from dasha_ros.policies.learned.policy_content import LATENT, check_fields, check_fitted, check_numbers
from dasha_ros.system.paths import config_dir

FORMAT = 2
"""Format of the file. Raise it when an observation or an action comes to mean something else."""

Agent = Literal["exposure", "focus"]


class PolicyFileError(ValueError):
    """A policy that can't be used here; the message says why and what to do."""


@dataclass(frozen=True)
class PolicyInfo:
    """What a policy was made for, and how."""

    agent: Agent
    preset: str
    extractor: str
    """Kind of its feature extractor; see `focus_extractor` and `exposure_extractor`."""
    encoder: str
    """Id of the encoder whose latents it reads."""
    lens: str
    """Id of the lens profile; empty for A^H."""
    table: str
    """Id of the exposure table; empty for A^L."""
    nvec: tuple[int, ...]
    """Number of choices of each part of an action."""
    observation_size: int
    """Length of an observation."""
    rules: dict[str, Any] = field(default_factory=dict)
    """Rules of its episodes that a deployed policy needs."""
    made: dict[str, Any] = field(default_factory=dict)
    """Command, versions, seed, scenes, steps: how to make it again."""
    format: int = FORMAT


@dataclass(frozen=True)
class PolicyFile:
    """A stored policy."""

    info: PolicyInfo
    net: PolicyNet
    fitted: Mapping[str, NDArray[Any]]
    """The arrays fitted before reinforcement learning; see `FocusFeatureExtractor.arrays`."""

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            PolicyFileError: The disk is full or the folder can't be written.
        """
        arrays: dict[str, NDArray[Any]] = {
            "info": np.array(json.dumps(asdict(self.info))),
            **{f"net/{name}": value for name, value in self.net.arrays().items()},
            **{f"fitted/{name}": _small(value) for name, value in self.fitted.items()},
        }
        with disk_errors(PolicyFileError, path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # What goes on from a run, after a power failure too, needs its policy.
            with replacing(path, durable=True) as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub wants no names

    @classmethod
    def load(cls, path: Path, agent: Agent) -> PolicyFile:
        """Read a file.

        Args:
            path: The ``.npz``.
            agent: The agent that the policy must be for.

        Raises:
            PolicyFileError: No such file, a damaged one, or one of another version or the other agent.
        """
        try:
            arrays = version_0_1.policy_arrays(read_arrays(path))
            document = parse_json(str(arrays["info"]))
            if isinstance(document, dict):
                document = version_0_1.policy(document)
        except FileError as error:
            if error.is_missing:
                raise PolicyFileError(
                    f"there is no policy {path}: train one with `dasha train {agent}`, or name another"
                ) from error
            raise PolicyFileError(f"the policy {error}: fetch it or train it again") from error
        except (KeyError, ValueError) as error:
            raise PolicyFileError(f"{path} is no policy: it does not say what it was made for") from error
        if not isinstance(document, dict):
            raise PolicyFileError(f"{path} is no policy: it does not say what it was made for")
        if document.get("format") != FORMAT:
            raise PolicyFileError(
                f"{path} is a policy of format {document.get('format')!r}, and this version reads {FORMAT}: "
                "train it again, or use the version of dasha_ros that made it"
            )
        if document.get("agent") not in get_args(Agent):
            raise PolicyFileError(f"{path} is no policy: its agent is {document.get('agent')!r}")
        if document["agent"] != agent:
            raise PolicyFileError(
                f"{path} is a policy for {document['agent']}, not for {agent}: give the other file"
            )
        try:
            check_fields(document)
            check_numbers({name: value for name, value in arrays.items() if name != "info"})
            info = PolicyInfo(**{**document, "nvec": tuple(document["nvec"])})
            net = PolicyNet.from_arrays(_below(arrays, "net/"), info.nvec)
            net.check_inputs(info.observation_size)
            fitted = _below(arrays, "fitted/")
            check_fitted(info.extractor, fitted)
        except ValueError as error:
            raise PolicyFileError(f"the policy {path} is damaged ({error}): train it again") from error
        return cls(info, net, fitted)


def shipped_policy(name: str, agent: Agent) -> Path:
    """The file of a policy that ships with the package: ``config/policies/NAME_AGENT.npz``."""
    return config_dir() / "policies" / f"{name}_{agent}.npz"


def policy_to_learn_from(given: str, preset: str, agent: Agent) -> Path:
    """The policy that learning over ROS starts from: the given one, or the one that ships for the preset.

    Args:
        given: Path of a policy, or "".
        preset: Name of the preset.
        agent: Who learns.

    Raises:
        PolicyFileError: None is given, and none ships for the preset.
    """
    if given:
        return expanded(given, PolicyFileError)
    shipped = shipped_policy(preset, agent)
    if not shipped.is_file():
        raise PolicyFileError(
            f"no policy of the preset {preset} ships to start learning from: train one (`dasha train "
            f"{agent} --preset ...`), and set the parameter learn_from to its file best.npz"
        )
    return shipped


def check_encoder(info: PolicyInfo, encoder: str) -> None:
    """Reject percepts of another encoder.

    Raises:
        PolicyFileError: The percepts hold no latent of the policy's encoder.
    """
    if not has_part(encoder, info.encoder):
        raise PolicyFileError(
            f"the policy {info.preset!r} of {info.agent} reads latents of the encoder {info.encoder}, "
            f"but percepts come from {encoder}: set perception's `encoder` to {info.encoder} "
            f"(or {encoder}{SEPARATOR}{info.encoder}), or choose another policy"
        )


def check_lens(info: PolicyInfo, lens: str) -> None:
    """Reject another lens than the policy was trained with, if its actions are positions of that lens.

    A policy with a belief acts in px of blur through the lens's map, and takes any lens that has one.

    Raises:
        PolicyFileError: The lens profile is another.
    """
    if info.extractor == LATENT and lens != info.lens:
        raise PolicyFileError(
            f"the policy {info.preset!r} was trained with the lens {info.lens}, and this one is {lens}: "
            "give the lens driver that lens as `profile`, choose the policy plus, which takes any calibrated "
            "lens, or coarse_to_fine, which needs no training"
        )


def check_table(info: PolicyInfo, table: str) -> None:
    """Reject another exposure table than the policy was trained with.

    Raises:
        PolicyFileError: The table is another.
    """
    if table != info.table:
        raise PolicyFileError(
            f"the policy {info.preset!r} was trained with the exposure table {info.table}, "
            f"and this one is {table}: set `exposure_min_us` and `exposure_max_us` to those limits, "
            "train a policy for this table (`dasha train exposure`), "
            "or choose the policy histogram, which needs no training"
        )


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}


def _small(value: NDArray[Any]) -> NDArray[Any]:
    """As float32: fitted numbers are not more precise."""
    return value.astype(np.float32) if value.dtype == np.float64 else value

"""Files of parameters, read by us and by rcl: random files, and the forms that people use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dasha_ros.config.ros_file import RosFile
from dasha_ros.config.ros_value import YamlError, parameter_text, parse_value, plain_text

NODES = (("/dasha", "camera_driver"), ("/dasha", "lens"), ("/left/eye", "lens"), ("/", "lens"))

# What rcl takes although it does not do what is written, and we refuse.
_MISREAD = (
    "is there already",
    "holds nothing",
    "loses the namespace",
    "into another namespace",
    "for a part of it",
    "must be ros__parameters",
    "inside a list",
    "can't be a group too",
)


class Rcl:
    """What rcl gives nodes that are started with a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "given.yaml"

    def read(self, text: str, *arguments: str) -> dict[str, dict[str, object]] | None:
        """Names and values by the full names of `NODES`; ``None`` when rcl refuses the file."""
        import rclpy

        self.path.write_text(text, encoding="utf-8")
        context = rclpy.Context()
        try:
            rclpy.init(context=context, args=["--ros-args", "--params-file", str(self.path), *arguments])
        except Exception:
            return None
        found = {}
        for namespace, name in NODES:
            node = rclpy.create_node(
                name,
                namespace=namespace,
                context=context,
                start_parameter_services=False,
                enable_rosout=False,
            )
            found[node.get_fully_qualified_name()] = {
                key: parameter.value for key, parameter in node._parameter_overrides.items()
            }
            node.destroy_node()
        context.try_shutdown()
        return found


@pytest.fixture
def rcl(ros_env: dict[str, str], tmp_path: Path) -> Iterator[Rcl]:
    yield Rcl(tmp_path)


def ours(text: str) -> dict[str, dict[str, object]]:
    """The same, read by us. An empty list is what rcl calls not set."""
    file = RosFile(text.encode())
    full_names = [f"{namespace.rstrip('/')}/{name}" for namespace, name in NODES]
    return {
        full_name: {
            key: None if found.value == [] else found.value
            for key, found in file.parameters(full_name).items()
        }
        for full_name in full_names
    }


def exactly(value: object) -> object:
    """Something equal only where type and value are, a NaN included."""
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return (type(value), "nan") if isinstance(value, float) and math.isnan(value) else (type(value), value)


def check(rcl: Rcl, text: str) -> None:
    theirs = rcl.read(text)
    try:
        mine = ours(text)
    except YamlError as error:
        assert theirs is None or any(reason in str(error) for reason in _MISREAD), (
            f"refused, and rcl reads it: {error}\n{text}"
        )
    else:
        assert theirs is not None, f"rcl refuses it:\n{text}"
        assert exactly(mine) == exactly(theirs), text


# Words whose type rcl and YAML, or two versions of YAML, disagree about, and some that nobody doubts.
WORDS = (
    "yes no y N on OFF true True TRUE truE 0x10 0x 0xg 010 08 -010 00 +5 -5 +-5 --5 -0 5.0 -0.0 1e3 1E+3 .5 5. 1.e5 "
    ".e5 e5 1e 1e+ 1e999 -1e999 1e-400 4.9e-324 2.2250738585072014e-308 0e-400 0x1p3 0x.8 0x1.8p-2000 0x1P9999 "
    "99999999999999999999 9223372036854775807 -9223372036854775808 9223372036854775808 0777777777777777777777777 "
    ".inf -.inf +.INF .nan .NaN -.nan inf -INF nan NaN(abc) nan() infinity infinit 0b11 0o17 1_000 1:30 "
    "2001-01-01 null ~ Null << = 0815-0000 abc '5' \"5\" '' 'yes' \"\\x41\" !!str@5 !!str@yes !!int@5 !!int@'5' "
    "!!float@5 !!bool@yes !!binary@aGk= !@5 !other@5 &a@5 {} [] [1] [1,2] [1,2.0] [.inf,-1.0] [true,no] [a,'1'] "
    "['',b] [[1],2] [{a:@1}]"
).replace("@", "\x00")
# Whether 1:30 is a word between braces is up to the version of libyaml.
_words = st.sampled_from([word.replace("\x00", " ") for word in WORDS.split() if word != "1:30"])
_keys = st.sampled_from(["a", "b", "a.b", "c"])
_groups = st.recursive(
    _words, lambda inner: st.lists(st.tuples(_keys, inner), min_size=1, max_size=3, unique_by=lambda e: e[0])
)
_parameters = st.lists(st.tuples(_keys, _groups), max_size=4, unique_by=lambda entry: entry[0])
NAMES = (
    "/** /* ** * /**/lens **/lens /*/lens /dasha/* /dasha/** /dasha/camera_driver dasha/lens lens /lens "
    "dasha /dasha /dasha/ /left left/eye eye camera_driver / /*/*/lens //lens le*ns 1st /**/*/lens"
)
_names = st.sampled_from(NAMES.split())
_blocks = st.recursive(
    _parameters.map(lambda entries: [("ros__parameters", entries)]),
    lambda inner: st.lists(
        st.tuples(_names, inner), min_size=1, max_size=4, unique_by=lambda entry: entry[0]
    ),
    max_leaves=5,
).map(lambda entries: entries if not entries or entries[0][0] != "ros__parameters" else [("/**", entries)])


def flow(node: object) -> str:
    """A tree in YAML's flow style."""
    if isinstance(node, str):
        return node
    assert isinstance(node, list)
    return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in node) + "}"


def block(node: object, indent: int = 0) -> str:
    """A tree in YAML's block style."""
    if isinstance(node, str):
        return f" {node}\n"
    assert isinstance(node, list)
    if not node:
        return " {}\n"
    lines = [f"{' ' * indent}{key}:{block(value, indent + 2)}" for key, value in node]
    return ("\n" if indent else "") + "".join(lines)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=_blocks, style=st.sampled_from([flow, block]))
def test_a_random_file_gives_each_node_what_rcl_gives_it(rcl: Rcl, tree: object, style: object) -> None:
    check(rcl, style(tree))


@pytest.mark.parametrize("word", [word.replace("\x00", " ") for word in WORDS.split()])
def test_a_word_has_the_type_that_rcl_gives_it(rcl: Rcl, word: str) -> None:
    check(rcl, f"/**:\n  ros__parameters:\n    x: {word}\n")

"""Parameter files are read as rcl reads them: random files, and common forms."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dasha_ros.config.ros_file import RosFile
from dasha_ros.config.ros_value import YamlError, parameter_text, parse_value, plain_text

NODES = (("/dasha", "camera_driver"), ("/dasha", "lens"), ("/left/eye", "lens"), ("/", "lens"))

# What rcl takes although it does not do what is written, and we refuse.
_MISREAD = (
    "is already in line",
    "is empty",
    "loses the namespace",
    "into another namespace",
    "would misread",
    "must be ros__parameters",
    "inside a list",
    "can't be a group too",
)


class Rcl:
    """The values that rcl gives nodes that are started with a file."""

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
def rcl(ros_env: dict[str, str], tmp_path: Path) -> Rcl:
    return Rcl(tmp_path)


def ours(text: str) -> dict[str, dict[str, object]]:
    """The values that our reader gives. An empty list means not set, as in rcl."""
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
    """A form that is equal only if type and value are, including NaN."""
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return (type(value), "nan") if isinstance(value, float) and math.isnan(value) else (type(value), value)


def check(rcl: Rcl, text: str) -> None:
    """Check that our reader gives the same as rcl, or refuses with a reason."""
    theirs = rcl.read(text)
    try:
        mine, reason = ours(text), ""
    except YamlError as error:
        mine, reason = None, str(error)
    if mine is not None:
        assert theirs is not None, f"rcl refuses it:\n{text}"
        assert exactly(mine) == exactly(theirs), text
    elif theirs is not None:
        assert any(part in reason for part in _MISREAD), f"refused, but rcl reads it: {reason}\n{text}"


# Words whose type rcl and YAML, or two versions of YAML, disagree about, and some that nobody doubts.
_PLAIN = (
    "yes no y N on OFF true True TRUE truE 0x10 0x 0xg 010 08 -010 00 +5 -5 +-5 --5 -0 5.0 -0.0 "
    "1e3 1E+3 .5 5. 1.e5 .e5 e5 1e 1e+ 1e999 -1e999 1e-400 4.9e-324 2.2250738585072014e-308 0e-400 "
    "0x1p3 0x.8 0x1.8p-2000 0x1P9999 0b11 0o17 1_000 1:30 2001-01-01 null ~ Null << = 0815-0000 "
    "9223372036854775807 -9223372036854775808 9223372036854775808 0777777777777777777777777 "
    ".inf -.inf +.INF .nan .NaN -.nan inf -INF nan NaN(abc) nan() infinity infinit "
    """abc '5' "5" '' 'yes' "\\x41" {} [] [1] [1,2] [1,2.0] [.inf,-1.0] [true,no] """
    "[a,'1'] ['',b] [[1],2] "
)
WORDS = [
    *_PLAIN.split(),
    *("!!str 5", "!!str yes", "!!int 5", "!!int '5'", "!!float 5", "!!bool yes", "!!binary aGk="),
    *("! 5", "!other 5", "&a 5", "[{a: 1}]"),
]
# Whether 1:30 is a word between braces is up to the version of libyaml.
_words = st.sampled_from([word for word in WORDS if word != "1:30"])
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


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=_blocks, style=st.sampled_from([flow, block]))
def test_a_random_file_gives_each_node_what_rcl_gives_it(rcl: Rcl, tree: object, style: object) -> None:
    check(rcl, style(tree))


@pytest.mark.parametrize("word", WORDS)
def test_a_word_has_the_type_that_rcl_gives_it(rcl: Rcl, word: str) -> None:
    check(rcl, f"/**:\n  ros__parameters:\n    x: {word}\n")


FORMS = {
    "a block for each namespace": """
/left/lens: {ros__parameters: {a: 1}}
/left/eye/lens: {ros__parameters: {a: 2}}
/dasha/lens: {ros__parameters: {a: 3}}
""",
    "blocks add up, and the later wins": """
/**/lens: {ros__parameters: {a: 1, b: 1, c: 1}}
/dasha/*: {ros__parameters: {b: 2, c: 2}}
/dasha/lens: {ros__parameters: {c: 3}}
""",
    "the order is that of the first block of a name": """
/**: {ros__parameters: {a: 1}}
/dasha/lens: {ros__parameters: {a: 2}}
---
/**: {ros__parameters: {a: 3, b: 3}}
""",
    "a name in parts is the name in one": """
/dasha/lens: {ros__parameters: {a: 1}}
/dasha: {lens: {ros__parameters: {a: 2}}, camera_driver: {ros__parameters: {a: 3}}}
dasha: {lens: {ros__parameters: {b: 4}}}
""",
    "the type that came first stays": """
/dasha/lens: {ros__parameters: {a: 1, b: [1, 2], c: yes}}
/dasha: {lens: {ros__parameters: {a: one, b: [], c: 3}}}
""",
    "groups": """
/**:
  ros__parameters:
    qos_overrides: {/tf: {publisher: {depth: 5}}, /clock: {subscription: {depth: 1}}}
    a: {b: {c: [1.5], d: text}, e: 2}
    f.g: 3
""",
    "empty": "",
    "nothing but a comment": "# nothing\n",
    "nothing for anybody": "/**:\n  ros__parameters: {}\n",
    "a byte order mark": "\ufeff/**:\n  ros__parameters: {a: 1}\n",
    "several lines": """
/**:
  ros__parameters:
    a: |-
      1
    b: >
      x
      y
    c: one
      two
""",
}


@pytest.mark.parametrize("name", FORMS)
def test_common_forms_are_read_like_rcl(rcl: Rcl, name: str) -> None:
    ours(FORMS[name])
    check(rcl, FORMS[name])


def test_rcl_lets_a_block_win_over_the_command_line(rcl: Rcl) -> None:
    """This is why nodes get their values one by one instead of the file and overrides."""
    text = "/**: {ros__parameters: {b: 1}}\n/dasha/lens: {ros__parameters: {a: 1}}\n"
    given = rcl.read(text, "-p", "a:=2")
    assert given is not None
    assert given["/dasha/lens"]["a"] == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a: {ros__parameters: {x: 1}}\na: {ros__parameters: {y: 1}}",
            "line 2: 'a' is already in line 1",
        ),
        ("a:\n  ros__parameters:\n    x: 1\n    x: 2", "line 4: 'x' is already in line 3"),
        ("a:\n  ros__parameters:\n    x:\n", "line 3: there is no value; an empty text is ''"),
        ("a: {ros__parameters: {x: &n 1, y: *n}}", "line 1: ROS can't read aliases"),
        (
            "a: {ros__parameters: {x: [1, 2.0]}}",
            "line 1: all values of a list must be of one type; write 1.0 for 1",
        ),
        ("a: {ros__parameters: {x: {}}}", "line 1: x is empty"),
        ('a: {ros__parameters: {x: "a\\0b"}}', "line 1: a text can't hold the character NUL"),
        ("a: {ros__parameters: {x: 1}, b: {}}", "ROS loses the namespace of what follows ros__parameters"),
        ("a: {b/c: {ros__parameters: {}}}", "ROS puts what follows 'b/c' into another namespace"),
        ("a: {parameters: 1}", "'parameters' must hold ros__parameters, or node names"),
        ("a: {ros__parameter: {x: 1}}", "'x' must hold ros__parameters, or node names"),
        ("ros__parameters: {x: 1}", "there is no node name before ros__parameters"),
        ("a: {ros__parameters: 1}", "ros__parameters of 'a' must map names to values"),
        ("a-b: {ros__parameters: {}}", "'a-b' is not a node name: use letters"),
        ("- 1", "line 1: a parameter file maps node names to ros__parameters"),
        ("a: [1\n", "line 2: this is not YAML: did not find expected ',' or ']'"),
        ("{a: " * 2000, "line 1: nested deeper than"),
    ],
)
def test_refusals_say_where_and_why(text: str, sentence: str) -> None:
    with pytest.raises(YamlError) as refused:
        RosFile(text)
    assert sentence in str(refused.value)


_values = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_subnormal=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.sampled_from([word for word in WORDS if word[0] not in "[{"]),
)


@given(value=_values)
def test_a_written_value_is_read_back_unchanged(value: object) -> None:
    assert exactly(parse_value(parameter_text(value))) == exactly(value)
    assert exactly(parse_value(plain_text(value))) == exactly(value)

"""The clients that the README and the how-to show to robots work."""

from __future__ import annotations

import re

import pytest
from graph import Graph
from ros_harness import PATIENCE_S, ROOT

PAGES = ("README.md", "docs/how-to/call-it-from-a-robot.md")


def _page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _cpp_client() -> str:
    found = re.search(r"```cpp\n(.*?)```", _page(PAGES[1]), flags=re.DOTALL)
    assert found is not None
    return found[1]


def test_the_cpp_client_names_only_what_the_action_has() -> None:
    """rclcpp is not among the wheels, so nothing compiles it here."""
    action = pytest.importorskip("dasha_ros.action", reason="scripts/setup builds it").FocusOnObject
    code = _cpp_client()
    assert code.count("{") == code.count("}")
    assert code.count("(") == code.count(")")
    assert set(re.findall(r"goal\.(\w+) =", code)) <= set(action.Goal.get_fields_and_field_types())
    fields = set(re.findall(r"result->(\w+)", code))
    assert "error_msg" in fields
    assert fields <= set(action.Result.get_fields_and_field_types())
    assert all(hasattr(action.Result, name) for name in re.findall(r"Result::(\w+)", code))


def test_the_cpp_client_tells_a_new_server_and_survives_ctrl_c() -> None:
    """Found by running it against a server that was killed in mid-goal, and by Ctrl-C during a cancel."""
    services = pytest.importorskip("action_msgs.srv", reason="part of ROS 2")
    code = _cpp_client()
    answers = re.findall(r"CancelGoal::Response::(\w+)", code)
    assert "ERROR_UNKNOWN_GOAL_ID" in answers
    assert all(hasattr(services.CancelGoal.Response, name) for name in answers)
    # The free function makes an executor each time, which throws once Ctrl-C has shut the context down.
    assert "rclcpp::spin_until_future_complete" not in code


def _client(label: str, page: str = PAGES[0]) -> str:
    """The client shown on a page, with another object and more patience."""
    found = re.search(r"```python\n(.*?)```", _page(page), flags=re.DOTALL)
    assert found is not None
    assert found[1].count('focus("person"') == 1
    code = found[1].replace('focus("person"', f'focus("{label}"')
    # A busy machine may discover a server later than a person wants to wait.
    assert code.count("FocusClient()") == 1
    return code.replace("FocusClient()", f"FocusClient(server_timeout={PATIENCE_S})")


def test_all_pages_show_one_client() -> None:
    assert len({_client("cat", page) for page in PAGES}) == 1


@pytest.mark.graph
@pytest.mark.parametrize(
    ("label", "code", "words"),
    [
        ("motorcycle", 0, "motorcycle 0."),
        ("unicorn", 1, "GoalRejectedError: goal rejected: "),
        ("giraffe", 1, "not found with a score of 0.5"),
    ],
)
def test_the_python_client(graph: Graph, label: str, code: int, words: str) -> None:
    client = graph.spawner.python("-c", _client(label))
    assert client.wait() == code, client.output
    assert words in client.output

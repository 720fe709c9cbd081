"""How nodes keep their memory small."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ALLOCATES = """
import ctypes, threading
from dasha_ros.ros.node.memory import share_one_heap

share_one_heap()
hold = threading.Barrier(9)

def allocate():
    held = [bytes(5000) for _ in range(100)]
    hold.wait()
    hold.wait()

for _ in range(8):
    threading.Thread(target=allocate).start()
hold.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
hold.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_all_threads_allocate_from_one_heap() -> None:
    told = subprocess.run([sys.executable, "-c", ALLOCATES], capture_output=True, text=True, check=True)
    assert told.stdout.count("<heap nr=") == 1


FAULTS = """
import resource, sys
from dasha_ros.ros.node.memory import keep_memory

if sys.argv[1] == "keep":
    keep_memory()

def pictures(count):
    for _ in range(count):
        copies = [bytearray(2_200_000) for _ in range(4)]

pictures(2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
pictures(20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc")
def test_kept_memory_is_not_fetched_from_the_system_again() -> None:
    """Without it, the kernel hands out a picture's 537 pages again and again."""

    def faults(how: str) -> int:
        told = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        return int(told.stdout)

    assert faults("keep") < 1000 < faults("return")


SERVES = """
import sys
import rclpy
from dasha_ros.msg import Percept
from dasha_ros.ros.node.memory import skip_message_generator

skip_message_generator()
rclpy.init(args=["--ros-args", "--disable-external-lib-logs"])
rclpy.create_node("lean").create_publisher(Percept, "percept", 1)
print("lark" in sys.modules)
"""


def test_a_node_publishes_without_the_generator_of_message_classes() -> None:
    told = subprocess.run([sys.executable, "-c", SERVES], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "False"


def test_checking_messages_loads_no_scenes() -> None:
    """Every node checks its messages; only the twin needs scenes and pictures."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, dasha_ros.ros.validation.subscribe; print(sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "dasha_ros.twin.scene" not in told.stdout
    assert "'PIL'" not in told.stdout


TIDIES = """
import gc, sys, weakref
from dasha_ros.ros.node.memory import release_memory, settle_memory, tidy_memory

class Thing:
    def __init__(self):
        self.itself = self

old = Thing()
seen = weakref.ref(old)
settle_memory()
assert gc.get_freeze_count() > 1000
before = sys.getallocatedblocks()
for _ in range(50):
    goals = [Thing() for _ in range(20)]
    many = [tuple(n for n in range(4)) for _ in range(20)]
del goals, many
left = sys.getallocatedblocks() - before
tidy_memory()
tidied = sys.getallocatedblocks() - before
del old
tidy_memory()
assert seen() is not None, "what was frozen is not looked at"
release_memory()
assert seen() is None
assert gc.get_freeze_count() == 0
print(left, tidied)
"""


def test_tidying_frees_what_python_keeps_and_a_clean_up_all_else() -> None:
    told = subprocess.run([sys.executable, "-c", TIDIES], capture_output=True, text=True, check=True)
    left, tidied = map(int, told.stdout.split())
    assert tidied < left / 4

"""A node that meets a signal or a bug at a moment that real nodes rarely meet.

``unlucky_node.py MOMENT``: see the methods.
"""

import ctypes
import os
import signal
import sys
import threading

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

from dasha_ros.nodes.twin_world import TwinWorld
from dasha_ros.ros.node.run import run
from dasha_ros.system import shutdown_limits

MOMENT = sys.argv[1]
# Under nohup it is ignored, and stays so.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if MOMENT == "it hangs":
    shutdown_limits.NODE_ENDS_S = shutdown_limits.STILL_LOADS_S + 0.5


def strike(number=signal.SIGINT):
    os.kill(os.getpid(), number)


class Unlucky(TwinWorld):
    def __init__(self):
        super().__init__()
        if MOMENT == "before the start":
            strike()

    def configure(self):
        super().configure()
        if MOMENT == "while loading":
            strike()
            threading.Event().wait()

    def activate(self):
        super().activate()
        if MOMENT == "Python is blocked":
            threading.Thread(target=self.block_python).start()
        elif MOMENT == "bug":
            self.executor.wait_for_ready_callbacks = lambda *_: 1 / 0
        else:
            strike(signal.SIGHUP if MOMENT == "the terminal closes" else signal.SIGTERM)

    def cleanup(self):
        if MOMENT == "while ending":
            strike()
            strike(signal.SIGTERM)
        elif MOMENT == "asked while ending":
            self.ask_for_another_transition()
        elif MOMENT == "it hangs":
            threading.Event().wait()
        elif MOMENT == "bug at the end":
            raise ValueError("nothing is clean")
        elif MOMENT == "bug":
            return
        self.ask_somebody()

    def block_python(self):
        """As a library does that waits for its own lock and keeps Python's."""
        print("Python is blocked", flush=True)
        mutex = ctypes.create_string_buffer(64)
        for _ in range(2):
            ctypes.PyDLL(None).pthread_mutex_lock(mutex)

    def ask_for_another_transition(self):
        """As a lifecycle manager does that ends together with this node. The executor gets this first."""
        client = self.create_client(ChangeState, f"{self.get_name()}/change_state")
        client.wait_for_service()
        client.call_async(ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE)))

    def ask_somebody(self):
        """Call a service; the answer comes through this node's executor and context."""
        client, answered = self.create_client(GetState, f"{self.get_name()}/get_state"), threading.Event()
        asked = False
        client.wait_for_service()
        # An answer is lost while the service has not discovered the client, so ask until one comes.
        while not answered.wait(1.0 if asked else 0.0):
            client.call_async(GetState.Request()).add_done_callback(lambda _: answered.set())
            asked = True
        print("an answer came", flush=True)


if MOMENT == "a library never ends":
    libc = ctypes.CDLL(None)
    libc.__cxa_atexit(ctypes.cast(libc.pause, ctypes.c_void_p), None, None)
run(Unlucky, args=[])
if MOMENT == "at the very end":
    # As at the end of Python itself, no signal handlers are left.
    os.execlp("sh", "sh", "-c", "kill -INT $$; kill -TERM $$")

"""A node that a signal, or a bug, meets at a moment which real signals find only now and then.

``unlucky_node.py MOMENT``: "before waiting" or "while leaving" for the signal, "bug".
"""

import sys

import rclpy
from rclpy.executors import SingleThreadedExecutor

from dasha_ros.nodes.twin_world import TwinWorld
from dasha_ros.ros.node import run

MOMENT = sys.argv[1]


class Ending:
    """The handle of a context that the handler of a signal ends as soon as rclpy has looked at it."""

    def __init__(self, handle):
        self.handle = handle

    def __enter__(self):
        return self.handle.__enter__()

    def __exit__(self, *error):
        return self.handle.__exit__(*error)

    def ok(self):
        alive = self.handle.ok()
        if alive and sys._getframe(1).f_code.co_name == "try_shutdown":
            self.handle.shutdown()
        return alive

    def shutdown(self):
        self.handle.shutdown()


class Unlucky(SingleThreadedExecutor):
    def wait_for_ready_callbacks(self, *args, **kwargs):
        if MOMENT == "before waiting":
            rclpy.shutdown()  # as the handler does, after the executor looked and before it waits
        elif MOMENT == "while leaving":
            context = rclpy.utilities.get_default_context()
            context._Context__context = Ending(context._Context__context)
            raise KeyboardInterrupt
        else:
            rclpy.create_node("broken", context=rclpy.Context())
        return super().wait_for_ready_callbacks(*args, **kwargs)


run(TwinWorld, args=[], executor=Unlucky)

"""A camera node behind rclpy.

The port is a node of its own, and the thread that owns the device spins it while it waits: pictures that
come meanwhile stay in the middleware's queue. So a picture costs nothing while nobody wants one, and
parameters can be set while the executor of the node that owns the device waits for that thread to end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import CompressedImage, Image

from dasha_ros.devices.errors import DeviceError, DeviceLost, FrameIncomplete
from dasha_ros.ros.driver.metadata import message_type, told_by
from dasha_ros.ros.driver.pairing import KEPT, Pairing
from dasha_ros.ros.driver.port import DescribedParameter, DriverPicture
from dasha_ros.ros.driver.table import DriverDescription, Value
from dasha_ros.ros.transport import compressed, qos
from dasha_ros.ros.transport.endpoints import node_of
from dasha_ros.ros.transport.image import ImageMessageError, pixels_of
from dasha_ros.ros.transport.retrying_call import RetryingCall
from dasha_ros.ros.transport.stamps import RosClock, to_ns
from dasha_ros.ros.validation.subscribe import subscribe

ANSWER_S = 3.0
"""How long a driver may take to answer a request [s]: some stop their stream to change a parameter."""
FIND_S = 3.0
"""How long a driver is looked for when it is opened [s]."""
_SLICE_S = 0.02
"""How often a wait looks for interruptions [s]."""
_IDLE_TURNS = 2
"""Turns of the executor in which nothing comes, after which no picture waits."""
_METADATA_KEPT = 100
"""Each node of the graph may publish diagnostics, so there is room for more than one a picture."""
_AGREES_NS = 2_000_000_000
"""A stamp farther than this from the arrival is of another clock."""
_KINDS = {
    ParameterType.PARAMETER_NOT_SET: "unset",
    ParameterType.PARAMETER_BOOL: "bool",
    ParameterType.PARAMETER_INTEGER: "integer",
    ParameterType.PARAMETER_DOUBLE: "double",
    ParameterType.PARAMETER_STRING: "string",
}
_IMAGES = {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"}
_SERVICES: dict[str, Any] = {
    "list_parameters": ListParameters,
    "describe_parameters": DescribeParameters,
    "get_parameters": GetParameters,
    "set_parameters": SetParameters,
}


class RosDriverPort:
    """A `DriverPort`."""

    def __init__(
        self, owner: Node, clock: RosClock, description: DriverDescription, node: str = "", image: str = ""
    ) -> None:
        """Join the graph.

        Args:
            owner: The node that owns the device; the port is a neighbour of it.
            clock: Of the owner, to which stamps are compared.
            description: The driver.
            node: Its name in the graph, with its namespace; empty: the usual one.
            image: Topic of its pictures; empty: the usual one.

        Raises:
            ValueError: The message type of its metadata is not installed.
        """
        self._description, self._clock = description, clock
        self.node_name = node or description.node
        self.image_topic = image or self._topic(description.image)
        self._is_compressed = self.image_topic.endswith(compressed.SUFFIX)
        metadata = description.metadata
        self._metadata_type: Any = message_type(metadata) if metadata is not None else None
        self._node = Node(
            f"{owner.get_name()}_port",
            namespace=owner.get_namespace(),
            context=owner.context,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = SingleThreadedExecutor(context=owner.context)
        self._executor.add_node(self._node)
        self._clients: dict[str, Client] = {
            name: self._node.create_client(kind, f"{self.node_name}/{name}")
            for name, kind in _SERVICES.items()
        }
        self._pairing = Pairing(metadata is not None)
        self._publishers: frozenset[bytes] | None = None
        """Who published pictures when it was started; ``None``: it was not."""
        self._heard = 0

    def parameters(self, names: Sequence[str]) -> dict[str, DescribedParameter]:
        """See `DriverPort.parameters`."""
        has = set(self._call("list_parameters", ListParameters.Request()).result.names)
        wanted = [name for name in names if name in has]
        if not wanted:
            return {}
        answer = self._call("describe_parameters", DescribeParameters.Request(names=wanted))
        return {one.name: _described(one) for one in answer.descriptors}

    def get(self, names: Sequence[str]) -> dict[str, Value]:
        """See `DriverPort.get`."""
        answer = self._call("get_parameters", GetParameters.Request(names=list(names)))
        values = zip(names, map(parameter_value_to_python, answer.values), strict=False)
        return {name: value for name, value in values if isinstance(value, bool | int | float | str)}

    def set(self, values: Mapping[str, Value]) -> None:
        """See `DriverPort.set`."""
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        answer = self._call("set_parameters", SetParameters.Request(parameters=parameters))
        if len(answer.results) != len(parameters):
            raise DeviceError(
                f"{self._driver} answered for {len(answer.results)} of {len(parameters)} parameters: "
                f"{_told(values)}"
            )
        for name, result in zip(values, answer.results, strict=True):
            if not result.successful:
                reason = "".join(c if c.isprintable() else "?" for c in result.reason[:200])
                raise DeviceError(
                    f"{self._driver} refused {_told({name: values[name]})}: {reason or 'it gave no reason'}"
                )

    def start(self) -> None:
        """See `DriverPort.start`.

        Raises:
            DeviceLost: Nobody publishes pictures.
        """
        end_s = time.monotonic() + FIND_S
        while not (offers := self._offers(self.image_topic)):
            if time.monotonic() > end_s:
                raise DeviceLost(
                    f"nobody publishes pictures on {self.image_topic}: {self._driver} runs, but its topic "
                    f"has another name (set driver_topic){self._images_seen()}"
                )
            self._executor.spin_once(timeout_sec=_SLICE_S)
        metadata = self._description.metadata
        if metadata is not None:
            topic = self._topic(metadata.topic)
            # Others may publish on it, and how they do says nothing about this driver.
            own = [offer for offer in self._offers(topic) if node_of(offer) == self.node_name]
            profile = qos.as_offered(own, _METADATA_KEPT)
            subscribe(self._node, self._metadata_type, topic, self._hear_metadata, profile)
        kind = CompressedImage if self._is_compressed else Image
        subscribe(self._node, kind, self.image_topic, self._hear, qos.as_offered(offers, KEPT))
        self._publishers = _gids(offers)

    def drain(self) -> int:
        """See `DriverPort.drain`."""
        self._check()
        count, idle = self._pairing.clear(), 0
        # A late answer to a request may take a turn, too.
        while idle < _IDLE_TURNS:
            before = self._heard
            self._executor.spin_once(timeout_sec=0.0)
            count += self._pairing.clear()
            idle = idle + 1 if self._heard == before else 0
        return count

    def next(self, timeout_s: float, interrupted: Callable[[], bool]) -> DriverPicture | None:
        """See `DriverPort.next`."""
        end_s = time.monotonic() + timeout_s
        while not interrupted():
            if (picture := self._pairing.take()) is not None:
                # A picture of a restarted driver was made with its defaults.
                self._check()
                return picture
            left_s = end_s - time.monotonic()
            if left_s <= 0.0:
                self._check()
                return None
            self._executor.spin_once(timeout_sec=min(left_s, _SLICE_S))
        return None

    def close(self) -> None:
        """See `DriverPort.close`."""
        if self._clients:
            self._clients = {}
            self._executor.shutdown()
            self._node.destroy_node()

    def _topic(self, name: str) -> str:
        """A topic's full name: after ``~/`` below the node, else in its namespace."""
        if name.startswith("~/"):
            return f"{self.node_name}{name[1:]}"
        return name if name.startswith("/") else f"{self.node_name.rpartition('/')[0]}/{name}"

    @property
    def _driver(self) -> str:
        return f"driver {self._description.name} at {self.node_name}"

    def _call(self, service: str, request: Any) -> Any:
        client = self._clients.get(service)
        if client is None:
            raise DeviceLost(f"{self._driver} is not open")
        end_s = time.monotonic() + FIND_S
        while not client.service_is_ready():
            if time.monotonic() > end_s:
                start = self._description.start
                raise DeviceLost(
                    f"no node {self.node_name} is there"
                    + (f": start the driver ({start}), or set driver_node" if start else ": set driver_node")
                    + self._images_seen()
                )
            self._executor.spin_once(timeout_sec=_SLICE_S)
        call = RetryingCall(client, request)
        end_s = time.monotonic() + ANSWER_S
        try:
            while (answer := call.answer()) is None:
                if time.monotonic() > end_s:
                    raise DeviceLost(
                        f"{self._driver} did not answer {service} in {ANSWER_S:g} s: start it again"
                    )
                self._executor.spin_once(timeout_sec=_SLICE_S)
        finally:
            call.close()
        return answer

    def _images_seen(self) -> str:
        """The topics of pictures in the graph, for messages."""
        topics = self._node.get_topic_names_and_types()
        images = sorted(name for name, kinds in topics if not _IMAGES.isdisjoint(kinds))
        return f". Pictures are published on {', '.join(images[:5])}" if images else ""

    def _offers(self, topic: str) -> list[TopicEndpointInfo]:
        return list(self._node.get_publishers_info_by_topic(topic))

    def _check(self) -> None:
        """Notice a driver that ended or was restarted: its parameters are its defaults now."""
        now = _gids(self._offers(self.image_topic))
        if self._publishers is None or not now:
            raise DeviceLost(f"{self._driver} is gone: nobody publishes {self.image_topic}. Start it again")
        if now != self._publishers:
            raise DeviceLost(f"{self._driver} was restarted, or a second node publishes {self.image_topic}")

    def _hear(self, message: Any) -> None:
        self._heard += 1
        arrived_ns = self._clock.steady.now_ns()
        stamp = to_ns(message.header.stamp)
        stamp_ns = arrived_ns - (self._clock.now_ns() - stamp)
        agrees = abs(stamp_ns - arrived_ns) <= _AGREES_NS

        def make() -> DriverPicture:
            try:
                if self._is_compressed:
                    pixels, encoding = compressed.decoded(message)
                else:
                    pixels, encoding = pixels_of(message), message.encoding
            except ImageMessageError as error:
                raise FrameIncomplete(f"{self._driver}: {error}") from error
            when_ns = min(stamp_ns, arrived_ns) if agrees else arrived_ns
            return DriverPicture(pixels, encoding, when_ns, agrees)

        self._pairing.picture(stamp, make)

    def _hear_metadata(self, message: Any) -> None:
        self._heard += 1
        metadata = self._description.metadata
        assert metadata is not None
        told = told_by(message, metadata)
        if told is not None:
            self._pairing.told(to_ns(message.header.stamp), told)


def _gids(offers: Iterable[TopicEndpointInfo]) -> frozenset[bytes]:
    return frozenset(bytes(offer.endpoint_gid) for offer in offers)


def _described(descriptor: ParameterDescriptor) -> DescribedParameter:
    ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
    low, high, step = None, None, 0.0
    if ranges:
        low, high, step = float(ranges[0].from_value), float(ranges[0].to_value), float(ranges[0].step)
        if not descriptor.integer_range and math.isinf(high):
            low = high = None
    return DescribedParameter(
        descriptor.name,
        _KINDS.get(descriptor.type, "a list"),
        low,
        high,
        step,
        bool(descriptor.read_only),
    )


def _told(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in values.items())

"""The emulated Optotune driver, by the examples of the protocol's own documents."""

from __future__ import annotations

from dasha_ros.devices.optotune.protocol import (
    ENTER_FOCAL_POWER_MODE,
    FIRMWARE_TYPE,
    FOCAL_POWER,
    VERSION,
    error_reply,
)
from dasha_ros.emulators.lens.optotune import DriverParser, DriverRequest, LensDriver4


def heard(driver: LensDriver4, frame: bytes) -> bytes:
    return b"".join(driver.handle(request) for request in DriverParser().feed(frame))


def test_the_emulated_driver_answers_as_documented() -> None:
    driven: list[float] = []
    driver = LensDriver4(driven.append, firmware="A")
    assert heard(driver, b"Start") == b"Ready\r\n"
    assert heard(driver, FIRMWARE_TYPE.request()).startswith(b"HA")
    assert heard(driver, b"?" + FIRMWARE_TYPE.request()) == error_reply(3)
    assert heard(driver, FOCAL_POWER.request()[:-1] + b"\0") == error_reply(1)
    # Without temperature limits it stays in current mode (0308).
    assert heard(driver, ENTER_FOCAL_POWER_MODE.request())[3] == 0b100
    assert not driver.obeys
    # The example of the protocol's own table: 0 and 3 dioptres.
    for frame in ("50775441023001403237", "4d7743415676", "5077444103e80000b100"):
        heard(driver, bytes.fromhex(frame))
    assert driven[-1] == 0.0
    heard(driver, bytes.fromhex("5077444106400000302c"))
    assert driven[-1] == 3.0
    heard(driver, bytes.fromhex("5077444107d0000031fd"))  # 5 D: out of reach
    assert driven[-1] == 3.0
    assert heard(driver, bytes.fromhex("5372bcd5"))[4] & 0b1000
    heard(driver, b"Start")
    assert driven[-1] == 0.0


def test_requests_are_split_wherever_they_are_cut() -> None:
    stream = b"Start" + FIRMWARE_TYPE.request() + FOCAL_POWER.request() + VERSION.request()
    parser = DriverParser()
    seen: list[DriverRequest] = [request for byte in stream for request in parser.feed(bytes([byte]))]
    assert b"".join(request.frame for request in seen) == stream
    assert all(request.intact for request in seen)
    parser.feed(b"Pr")
    assert parser.pending == 2
    parser.reset()
    assert parser.pending == 0

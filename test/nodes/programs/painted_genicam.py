"""A GigE Vision camera in software whose sensor sees the twin through an emulated lens.

``python painted_genicam.py SERIAL PORT`` serves it on the loopback until a signal comes. PORT is that of a
`LensEmulator` with an Optotune lens. The camera is Aravis' own: its registers, its stream and its trigger are
written by others; only what its sensor sees is painted here.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from dasha_ros.emulators.camera.twin_view import TwinView
from dasha_ros.optics.profiles import lens_model
from dasha_ros.twin.world import World

LIBRARY = "libaravis-0.8.so.0"
WIDTH, HEIGHT = 640, 340
MONO8 = 0x01080001
"""The GenICam standard's number of the only pixel format that is painted."""
_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_uint32
_FILL = ctypes.CFUNCTYPE(None, _POINTER, _POINTER, _NUMBER, _NUMBER, _NUMBER)


def main() -> None:
    """Serve the camera."""
    serial, port = sys.argv[1:]
    view = TwinView(
        Path(port),
        lens_model("optotune"),
        world=World(illuminance_lx=300.0),
        width=WIDTH,
        height=HEIGHT,
        seed=0,
    )
    # The first picture takes longest, and a host that waits for packets gives up soon.
    view.seen(1_000.0, 0.0)
    library = ctypes.CDLL(LIBRARY)
    for name in ("arv_gv_fake_camera_new", "arv_gv_fake_camera_get_fake_camera", "arv_buffer_get_data"):
        getattr(library, name).restype = _POINTER

    def fill(buffer: int, _: int, exposure_us: int, gain_db: int, pixels: int) -> None:
        handle = _POINTER(buffer)
        width = library.arv_buffer_get_image_width(handle)
        height = library.arv_buffer_get_image_height(handle)
        if (width, height, pixels) != (WIDTH, HEIGHT, MONO8):
            print(f"only {WIDTH}x{HEIGHT} px in Mono8 are painted, not {width}x{height}", flush=True)
            return
        picture = view.seen(float(exposure_us), float(gain_db))
        assert picture is not None
        target = library.arv_buffer_get_data(handle, None)
        ctypes.memmove(target, np.ascontiguousarray(picture, np.uint8).tobytes(), WIDTH * HEIGHT)

    camera = _POINTER(library.arv_gv_fake_camera_new(b"127.0.0.1", serial.encode()))
    sensor = _POINTER(library.arv_gv_fake_camera_get_fake_camera(camera))
    callback = _FILL(fill)
    library.arv_fake_camera_set_fill_pattern(sensor, callback, None)
    if not library.arv_gv_fake_camera_is_running(camera):
        raise SystemExit("the camera does not run: is its port used?")
    print("the painted camera runs", flush=True)
    with suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    main()

"""Pictures for pylon's camera emulator: what comes out of pylon is what `render` painted.

The emulator's pixels react to nothing. In its image directory, though, it reads each file
anew when the file's turn comes, provided that there are at least two. Both names lead to the
same picture here, so that it does not matter whose turn it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.pylon import nodes
from dasha_ros.emulators.memory import memory_folder

Picture = NDArray[np.uint8] | NDArray[np.uint16]
Render = Callable[[float, float], Picture]
"""From exposure [us] and gain [dB] to a picture: (height, width), or (height, width, 3) as RGB.
Of uint16 the upper 12 bits count."""


@runtime_checkable
class Scenery(Protocol):
    """A `Render` that can look ahead, and knows whether it would paint the same again."""

    def __call__(self, exposure_us: float, gain_db: float) -> Picture:
        """The picture of an exposure that begins now."""
        ...

    def seen(
        self, exposure_us: float, gain_db: float, begin_ns: int = 0, *, only_if_changed: bool = False
    ) -> Picture | None:
        """The picture of an exposure that begins at ``begin_ns`` of the steady clock, or now if that is over.

        Args:
            exposure_us: Length [us].
            gain_db: Gain [dB].
            begin_ns: Begin.
            only_if_changed: Return ``None`` if the last picture that was given out still shows
                what would be seen, but for its noise.
        """
        ...


NAMES = ("a", "b")
PREVIEW_RATE_HZ = 50.0


def enable_emulator(cameras: int = 1) -> None:
    """Make pylon show emulated cameras, serial numbers 0815-0000 and up.

    Must be called before the first enumeration in this process; never takes one away.
    """
    wanted = os.environ.get("PYLON_CAMEMU", "0")
    if not wanted.isdigit() or int(wanted) < cameras:
        os.environ["PYLON_CAMEMU"] = str(cameras)


class PictureFeed:
    """A `StreamListener` that paints every frame of an emulated camera just before its exposure.

    Raises:
        ValueError: (On use) ``render`` gave something that is no picture.
    """

    def __init__(self, render: Render, directory: Path | None = None) -> None:
        """Make the folders.

        Args:
            render: Paints. Called in the camera's thread; in a preview, in one of its own.
            directory: Where the folders go; see `memory_folder`.
        """
        self._render = render
        self._scenery = render if isinstance(render, Scenery) else None
        self._folder = memory_folder(directory)
        self._root = Path(self._folder.name)
        self._shown = self._root / "shown"
        self._shown.mkdir()
        self._deep = False
        self._stop = threading.Event()
        self._painter: threading.Thread | None = None
        self.painted = 0
        """Pictures so far."""
        self.trouble = ""
        """Why the newest picture of a preview could not be painted; empty: none was missed."""

    def close(self) -> None:
        """Remove the folders; the end of the process does so, too."""
        self.stopped()
        self._folder.cleanup()

    def opened(self, node_map: Any) -> None:
        """Switch the camera to the image directory.

        Raises:
            DeviceError: A real camera: it takes its own pictures.
        """
        if nodes.find(node_map, "ImageFileMode") is None:
            raise DeviceError("this camera is no emulated one; choose the emulator's address (0815-0000)")
        self._deep = nodes.need(node_map, "PixelFormat").GetValue() == "Mono12"
        width, height = (nodes.need(node_map, name).GetValue() for name in ("Width", "Height"))
        self._put(np.zeros((height, width), np.uint16 if self._deep else np.uint8))
        nodes.choose(node_map, "TestImageSelector", "Off")
        nodes.need(node_map, "ImageFilename").SetValue(str(self._shown))
        nodes.choose(node_map, "ImageFileMode", "On")

    def planned(self, exposure_us: float, gain_db: float, begin_ns: int) -> None:
        """Paint ahead, while the lens settles: a real camera's picture needs no time to be painted."""
        if (
            self._scenery is not None
            and (picture := self._scenery.seen(exposure_us, gain_db, begin_ns)) is not None
        ):
            self._put(picture)

    def before_trigger(self, exposure_us: float, gain_db: float) -> None:
        """Paint the picture of the exposure that is about to begin, unless it is what was painted ahead."""
        self._repaint(exposure_us, gain_db)

    def free_running(self, exposure_us: float, gain_db: float, frame_rate_hz: float) -> None:
        """Keep the picture up to date, as well as a thread can."""
        self.stopped()
        self._put(self._render(exposure_us, gain_db))
        self._stop.clear()
        period_s = 1.0 / (frame_rate_hz or PREVIEW_RATE_HZ)
        self._painter = threading.Thread(
            target=self._paint, args=(exposure_us, gain_db, period_s), name="picture feed", daemon=True
        )
        self._painter.start()

    def stopped(self) -> None:
        """Stop painting by itself."""
        self._stop.set()
        if self._painter is not None:
            self._painter.join()
            self._painter = None

    def _paint(self, exposure_us: float, gain_db: float, period_s: float) -> None:
        while not self._stop.wait(period_s):
            try:
                self._repaint(exposure_us, gain_db)
            except DeviceError as error:
                # The last picture stands; whoever asks for a single one gets the error itself.
                self.trouble = str(error)

    def _repaint(self, exposure_us: float, gain_db: float) -> None:
        if self._scenery is None:
            self._put(self._render(exposure_us, gain_db))
        elif (picture := self._scenery.seen(exposure_us, gain_db, only_if_changed=True)) is not None:
            self._put(picture)

    def _put(self, picture: Picture) -> None:
        dtype = np.dtype(np.uint16 if self._deep else np.uint8)
        if picture.dtype != dtype or picture.ndim not in (2, 3) or not picture.size:
            raise ValueError(
                f"the renderer gave {picture.dtype} of shape {picture.shape}; this camera shows {dtype}"
                " of shape (height, width) or (height, width, 3)"
            )
        pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
        # BMP is by far the fastest (3 ms for 2 megapixels) and holds 8 bits; TIFF holds 16.
        suffix = ".tif" if self._deep else ".bmp"
        fresh = self._root / f"fresh{suffix}"
        if not cv2.imwrite(str(fresh), pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 1] if self._deep else []):
            raise OSError(f"{fresh} could not be written; is the disk full?")
        for name in NAMES:
            link = self._root / name
            os.link(fresh, link)
            os.replace(link, self._shown / f"{name}{suffix}")
        fresh.unlink()
        self.painted += 1

"""Feeds pictures to pylon's camera emulator, so that its frames show what `render` painted.

The emulator's own test pictures do not react to anything. But it reads every file of its image directory
again when the file's turn comes, if there are at least two. Here both names lead to the same picture, so it
does not matter whose turn it is.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.pylon import nodes
from dasha_ros.emulators.memory import memory_folder
from dasha_ros.perception.image_message import Pixels

Picture = Pixels
Render = Callable[[float, float], Picture]
"""Renders an exposure [us] and gain [dB]: (height, width), or (height, width, 3) as RGB.
Of uint16, the upper 12 bits are used."""


class Scenery(ABC):
    """A `Render` that can render ahead, and knows whether the picture would change."""

    def __call__(self, exposure_us: float, gain_db: float) -> Picture:
        """The picture of an exposure that begins now; raises the errors of `seen`."""
        picture = self.seen(exposure_us, gain_db)
        assert picture is not None, "only a request for changes may return nothing"
        return picture

    @abstractmethod
    def seen(
        self, exposure_us: float, gain_db: float, begin_ns: int = 0, *, only_if_changed: bool = False
    ) -> Picture | None:
        """The picture of an exposure that begins at ``begin_ns`` of the steady clock, or now if that is over.

        Args:
            exposure_us: Length [us].
            gain_db: Gain [dB].
            begin_ns: Begin.
            only_if_changed: Return ``None`` if the last picture still shows the same,
                except for its noise.
        """


NAMES = ("a", "b")
PREVIEW_RATE_HZ = 50.0


def enable_emulator(cameras: int = 1) -> None:
    """Make pylon show emulated cameras, serial numbers 0815-0000 and up.

    Call it before the first enumeration in this process; it never removes a camera.
    """
    wanted = os.environ.get("PYLON_CAMEMU", "0")
    if not wanted.isdigit() or int(wanted) < cameras:
        os.environ["PYLON_CAMEMU"] = str(cameras)


class PictureFeed:
    """A `StreamListener` that renders every frame of an emulated camera just before its exposure.

    Raises:
        ValueError: (On use) ``render`` did not return a picture.
    """

    def __init__(self, render: Render, directory: Path | None = None) -> None:
        """Make the folders.

        Args:
            render: Renders pictures: in the camera's thread, or for a preview in a thread of its own.
            directory: Parent of the folders; see `memory_folder`.
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
        """Number of pictures so far."""
        self.trouble = ""
        """Why the newest preview could not be rendered; empty if it was."""

    def close(self) -> None:
        """Remove the folders; the end of the process does so, too."""
        self.stopped()
        self._folder.cleanup()

    def opened(self, node_map: Any) -> None:
        """Switch the camera to the image directory.

        Raises:
            DeviceError: The camera is a real one.
        """
        if nodes.find(node_map, "ImageFileMode") is None:
            raise DeviceError("this is not an emulated camera; choose the emulator's address (0815-0000)")
        self._deep = nodes.need(node_map, "PixelFormat").GetValue() == "Mono12"
        width, height = (nodes.need(node_map, name).GetValue() for name in ("Width", "Height"))
        self._put(np.zeros((height, width), np.uint16 if self._deep else np.uint8))
        nodes.choose(node_map, "TestImageSelector", "Off")
        nodes.need(node_map, "ImageFilename").SetValue(str(self._shown))
        nodes.choose(node_map, "ImageFileMode", "On")

    def planned(self, exposure_us: float, gain_db: float, begin_ns: int) -> None:
        """Render ahead while the lens settles, because a real camera needs no time for rendering."""
        if (
            self._scenery is not None
            and (picture := self._scenery.seen(exposure_us, gain_db, begin_ns)) is not None
        ):
            self._put(picture)

    def before_trigger(self, exposure_us: float, gain_db: float) -> None:
        """Render the exposure that is about to begin, unless that has already been done ahead."""
        self._repaint(exposure_us, gain_db)

    def free_running(self, exposure_us: float, gain_db: float, frame_rate_hz: float) -> None:
        """Keep the picture up to date in a thread."""
        self.stopped()
        self._put(self._render(exposure_us, gain_db))
        self._stop.clear()
        period_s = 1.0 / (frame_rate_hz or PREVIEW_RATE_HZ)
        self._painter = threading.Thread(
            target=self._paint, args=(exposure_us, gain_db, period_s), name="picture feed", daemon=True
        )
        self._painter.start()

    def stopped(self) -> None:
        """Stop the rendering thread."""
        self._stop.set()
        if self._painter is not None:
            self._painter.join()
            self._painter = None

    def _paint(self, exposure_us: float, gain_db: float, period_s: float) -> None:
        while not self._stop.wait(period_s):
            try:
                self._repaint(exposure_us, gain_db)
            except DeviceError as error:
                # The last picture stays; a request for a single picture raises the error itself.
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

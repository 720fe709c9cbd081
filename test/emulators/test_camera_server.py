"""Pictures that travel between processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from painters import Level, Painter

from dasha_ros.devices.errors import DeviceLost
from dasha_ros.emulators.camera.server import PictureServer, RemotePictures

RNG = np.random.default_rng(7)


def test_pictures_come_from_another_process(tmp_path: Path) -> None:
    picture = RNG.integers(0, 256, (48, 64), dtype=np.uint8)
    painter = Painter(picture)
    remote = RemotePictures(tmp_path / "camera")
    with pytest.raises(DeviceLost, match="dasha emulate camera"):
        remote(100.0, 0.0)
    for _ in range(2):  # a server that comes back is found again
        with PictureServer(tmp_path / "camera", painter) as server:
            assert np.array_equal(remote(123.0, 4.5), picture)
            assert painter.asked[-1] == (123.0, 4.5)
            with pytest.raises(FileExistsError, match="another camera emulator"):
                PictureServer(server.path, painter).start()
        with pytest.raises(DeviceLost):
            remote(100.0, 0.0)
    remote.close()


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_kind_of_picture_travels(shape: tuple[int, ...], dtype: type, tmp_path: Path) -> None:
    picture = RNG.integers(0, 256, shape).astype(dtype)
    remote = RemotePictures(tmp_path / "camera")
    with PictureServer(tmp_path / "camera", Painter(picture)):
        seen = remote(1.0, 0.0)
        assert np.array_equal(seen, picture)
        assert seen.dtype == dtype
        remote.close()


def test_an_unchanged_picture_is_not_sent_again(tmp_path: Path) -> None:
    stage = Level()
    remote = RemotePictures(tmp_path / "camera")
    for _ in range(2):
        with PictureServer(tmp_path / "camera", stage):
            # The server's first picture for this client, whatever it painted for others.
            assert remote.seen(1.0, 0.0, 5, only_if_changed=True) is not None
            assert remote.seen(1.0, 0.0, 6, only_if_changed=True) is None
            assert remote.seen(1.0, 0.0, 7) is not None
            assert stage.begins[-2:] == [5, 7]
            stage.level += 1
            changed = remote.seen(1.0, 0.0, only_if_changed=True)
            assert changed is not None
            assert (changed == stage.level).all()
            remote.close()


def test_a_failing_server_says_why(tmp_path: Path) -> None:
    def render(exposure_us: float, gain_db: float) -> np.ndarray:
        raise DeviceLost("the light went out")

    remote = RemotePictures(tmp_path / "camera")
    with PictureServer(tmp_path / "camera", render):
        for _ in range(2):
            with pytest.raises(DeviceLost, match="no picture: the light went out"):
                remote(1.0, 0.0)
        remote.close()

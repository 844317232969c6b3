"""Files by URL: with a progress bar and a checksum, going on after an interruption, atomically.

The file grows under the name `DESTINATION.part`, and takes its place when it is whole. What an
interrupted download left is gone on with if the server says (by ETag or date, RFC 9110, 13.1.5)
that the file has not changed. With KAGARI_HUB_MIRROR=FOLDER, files are taken from that folder: for
machines without a network.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO

_CHUNK = 1 << 18
_PATIENCE = 30.0  # seconds without a byte
MIRROR = "KAGARI_HUB_MIRROR"


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Download a file.

    Args:
        url: http, https, or file. With KAGARI_HUB_MIRROR=FOLDER the file is FOLDER/HOST/PATH, or
            FOLDER/NAME, and nothing is asked of the network.
        dst: the path it gets once it is whole. After an interruption a second call goes on.
        hash_prefix: what the SHA-256 of the file has to begin with, in hexadecimal digits.
        progress: show a bar on the terminal.

    Raises:
        RuntimeError: the checksum differs, or the mirror has no such file.
        urllib.error.URLError: the server cannot be reached, has no such file, or broke off.

    Example:
        >>> kagari.hub.download_url_to_file((folder / "a.txt").as_uri(), str(folder / "b.txt"))
        >>> (folder / "b.txt").read_text()
        'weights'
    """
    path = Path(os.path.expanduser(dst))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with open(part, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a second process waits
        if not _is_at(file, part) and path.exists():  # and finds that the first one is done
            return
        _fill(file, Path(f"{part}.from"), mirrored(url) or url, progress)
        _check_hash(file, hash_prefix, url)
        file.flush()
        os.fsync(file.fileno())
        Path(f"{part}.from").unlink(missing_ok=True)
        os.replace(part, path)


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file is the one that has this name now."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def mirrored(url: str) -> str | None:
    """Where the mirror has the file, as a file URL; None without a mirror."""
    folder = os.environ.get(MIRROR)
    if not folder or url.startswith("file:"):
        return None
    parts = urllib.parse.urlsplit(url)
    inside = urllib.parse.unquote(parts.path).lstrip("/")
    for place in (Path(folder, parts.netloc, inside), Path(folder, Path(inside).name)):
        if place.is_file() and place.resolve().is_relative_to(Path(folder).resolve()):
            return place.resolve().as_uri()
    raise RuntimeError(
        f"hub: {MIRROR}={folder} has no file for {url}: put it there as {parts.netloc}/{inside} "
        f"or as {Path(inside).name}"
    )


def _fill(file: BinaryIO, origin: Path, url: str, progress: bool) -> None:
    """Make the file whole: what it has already is kept if it is of the same origin."""
    there = file.seek(0, os.SEEK_END)
    known = origin.read_text() if origin.exists() else ""
    request = urllib.request.Request(url, headers={"User-Agent": "kagari.hub"})
    if there and known and url.startswith("http"):
        request.add_header("Range", f"bytes={there}-")
        request.add_header("If-Range", known)
    try:
        answer = urllib.request.urlopen(request, timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code == 416 and there:  # all of it was there
            return
        raise
    with answer:
        if getattr(answer, "status", 200) != 206:
            file.truncate(0)
            there = 0
        validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        origin.write_text("" if validator.startswith("W/") else validator)
        length = answer.headers.get("Content-Length")
        total = there + int(length) if length else None
        _copy(answer, file, there, total, url, progress)


def _copy(
    answer: Any, file: BinaryIO, there: int, total: int | None, url: str, progress: bool
) -> None:
    bar = Bar(Path(urllib.parse.urlsplit(url).path).name, there, total, progress)
    try:
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            bar.add(len(chunk))
    except (HTTPException, OSError) as error:
        raise urllib.error.URLError(f"{url} broke off after {bar.done} bytes: {error}") from error
    finally:
        file.flush()
        bar.close()
    if total is not None and bar.done < total:
        raise urllib.error.URLError(f"{url} broke off after {bar.done} of {total} bytes")


def _check_hash(file: BinaryIO, prefix: str | None, url: str) -> None:
    if prefix is None:
        return
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if not found.startswith(prefix.lower()):
        file.truncate(0)  # it is of no use to a second attempt
        raise RuntimeError(
            f'invalid hash value (expected "{prefix}", got "{found}"): {url} is not the file it '
            "should be; nothing was kept"
        )


class Bar:
    """A line on the terminal that shows how far a download is; silent where there is none."""

    def __init__(self, name: str, done: int, total: int | None, show: bool) -> None:
        self.name, self.done, self.total, self.first = name, done, total, done
        self.live = show and sys.stderr.isatty()
        self.began = self.shown = time.monotonic()

    def add(self, count: int) -> None:
        """So many bytes more; the line is redrawn ten times a second at most."""
        self.done += count
        now = time.monotonic()
        if self.live and now - self.shown > 0.1:
            self.shown = now
            print(f"\r{self._line(now)}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line as it is."""
        if self.live:
            print(f"\r{self._line(time.monotonic())}", file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        rate = (self.done - self.first) / max(now - self.began, 1e-9) / 1e6
        line = f"{self.name}: {self.done / 1e6:.1f} MB"
        if self.total:
            share = min(self.done / self.total, 1)
            cells = "#" * round(20 * share)
            line = f"{self.name}: [{cells:20}] {share:4.0%} of {self.total / 1e6:.1f} MB"
        width = shutil.get_terminal_size().columns - 1
        return f"{line}, {rate:.1f} MB/s"[:width].ljust(min(width, 79))

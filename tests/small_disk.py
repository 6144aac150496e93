"""A small filesystem of a test's own that can be filled and freed: a tmpfs, and ext4 in a file."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SMALL_MB = 24
BLOCK_BYTES = 64 << 10


class SmallDisk:
    """A mounted filesystem. `fill` leaves no block for anybody, `free` gives all of them back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Write until there is no room, in ever smaller pieces."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (BLOCK_BYTES, 4096, 512):
                with contextlib.suppress(OSError):
                    while True:
                        ballast.write(b"\0" * size)

    def free(self) -> None:
        """Delete what `fill` wrote."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def mounted(kind: str, folder: Path, size_mb: int = SMALL_MB) -> Iterator[SmallDisk]:
    """Mount a small filesystem of a kind in `folder`; skip the test where this machine does not allow that."""
    place, image = folder / "disk", folder / "disk.image"
    place.mkdir()
    commands = [["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", place]]
    if kind == "ext4":
        make = ["mkfs.ext4", "-q", "-F", "-m", "0", image, f"{size_mb}M"]
        commands = [make, ["mount", "-o", "loop", image, place]]
    for command in commands:
        if shutil.which(str(command[0])) is None:
            pytest.skip(f"needs {command[0]} to make a small {kind}")
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip(f"may not mount a small {kind} here (needs root and CAP_SYS_ADMIN)")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    """A small filesystem of each kind."""
    with mounted(request.param, tmp_path) as disk:
        yield disk

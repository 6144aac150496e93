"""Photos of public reports: files of the data folder, each encoded anew, and deleted after some days.

What a stranger sends is decoded as JPEG, PNG or WebP with limits of its size, and only its pixels are written again: no
metadata, no foreign bytes. The file has the name that the records give the report; no address leads to the folder.
"""

from __future__ import annotations

import contextlib
import io
import threading
import time
from pathlib import Path

from PIL import Image, ImageOps

from dashboards.http.problem import Problem, invalid_field

PIXELS_LIMIT = 16_000_000
"""Of what is decoded: a JPEG is decoded at a fraction of its size."""
EDGE_PX, QUALITY = 1600, 80
PHOTOS_LIMIT = 2000
DAY_S = 24 * 3600
FORMATS = ("JPEG", "PNG", "WEBP")


class ReportPhotos:
    """The folder of photos; one photo is decoded at a time. Without a folder none is taken."""

    def __init__(self, folder: Path | None, days: int) -> None:
        self._folder, self._kept_s = folder, days * DAY_S
        self._decoding = threading.Lock()

    def path(self, report_id: str) -> Path | None:
        """Return the file of the photo of a report, None where it has none."""
        found = self._folder and self._folder / f"{report_id}.jpg"
        return found if found and found.exists() and not self._is_old(found) else None

    def add(self, report_id: str, sent: bytes) -> None:
        """Keep the photo of a report; a problem (422, 507) where it is not an image, or cannot be kept."""
        with self._decoding:
            self.delete_expired()
            if self._folder is None or len(list(self._folder.glob("*.jpg"))) >= PHOTOS_LIMIT:
                raise Problem(507, "no-room", "Photos cannot be kept now; the report itself was received.")
            encoded = encode_anew(sent)
            unfinished = self._folder / f"{report_id}.part"
            try:
                unfinished.write_bytes(encoded)
                unfinished.rename(self._folder / f"{report_id}.jpg")
            except OSError:
                raise Problem(507, "no-room", "Photos cannot be kept now; the report itself was received.") from None

    def delete_expired(self) -> None:
        """Delete the photos that have been kept long enough; make the folder where it is missing."""
        with contextlib.suppress(OSError):
            if self._folder is not None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                for each in self._folder.iterdir():
                    if self._is_old(each):
                        each.unlink(missing_ok=True)

    def _is_old(self, path: Path) -> bool:
        return time.time() - path.stat().st_mtime > self._kept_s


def encode_anew(sent: bytes) -> bytes:
    """Return an image as JPEG without metadata, its edges at most `EDGE_PX`; a problem (422) where it is no image."""
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as image:
            image.draft("RGB", (EDGE_PX, EDGE_PX))
            if image.width * image.height > PIXELS_LIMIT:
                raise invalid_field("photo", "has too many pixels; send a smaller one")
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((EDGE_PX, EDGE_PX))
            pixels = Image.frombytes("RGB", upright.size, upright.tobytes())
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise invalid_field("photo", "is not a JPEG, PNG or WebP image; choose another one") from None
    written = io.BytesIO()
    pixels.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue()

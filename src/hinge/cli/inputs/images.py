"""A folder of images as examples (N, C, H, W), float32 from 0 to 1, opened when they are needed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hinge.errors import DataError, FileError
from hinge.optional import optional

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""What is taken for an image, by the ending of its name."""

_FORMATS = ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"]
"""What is opened: formats of pixels alone. The reader of EPS, for one, runs a program."""

_DEEP = {"I;16", "I;16B", "I;16L", "I;16N"}
_GREY = {"1", "L"}


@dataclass(frozen=True)
class ImageFolder:
    """All images in a folder and below, in the order of their paths; all have one shape."""

    paths: tuple[Path, ...]
    image_shape: tuple[int, int, int]

    @classmethod
    def open(cls, folder: Path) -> ImageFolder:
        """Find the images. Raises `DataError` or `FileError` if there is none, or no Pillow."""
        optional("PIL", "pillow", "reading images", extra="data")
        paths = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
        )
        if not paths:
            raise DataError(
                "the folder holds no image",
                where=str(folder),
                found=f"{sum(1 for _ in folder.iterdir()):,} entries, none of them an image",
                do=f"pass a folder of {', '.join(ENDINGS)}",
            )
        channels, height, width = _pixels(paths[0]).shape
        return cls(tuple(paths), (channels, height, width))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all images together: ``(N, C, H, W)``."""
        return (len(self.paths), *self.image_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return np.dtype(np.float32)

    def __getitem__(self, window: tuple[slice, ...]) -> npt.NDArray[np.float32]:
        """Read some images. Raises `DataError` for the first of another shape."""
        return np.stack([self._image(path) for path in self.paths[window[0]]])

    def _image(self, path: Path) -> npt.NDArray[np.float32]:
        pixels = _pixels(path)
        if pixels.shape != self.image_shape:
            raise DataError(
                "the images differ in shape",
                where=str(path),
                found=f"{_shown(pixels.shape)}; {self.paths[0].name} has "
                f"{_shown(self.image_shape)}",
                do="resize them as it was done for training, then run the command again",
            )
        return pixels


def _pixels(path: Path) -> npt.NDArray[np.float32]:
    """Read one image as ``(C, H, W)``: grey has one channel, all else red, green and blue."""
    image = optional("PIL.Image", "pillow", "reading images", extra="data")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", image.DecompressionBombWarning)
            with image.open(path, formats=_FORMATS) as opened:
                if opened.mode in _DEEP:
                    return np.asarray(opened, np.float32)[None] / np.float32(65535)
                picture = opened.convert("L" if opened.mode in _GREY else "RGB")
    except (OSError, SyntaxError, ValueError, MemoryError, Warning) as error:
        raise _unreadable(path, error) from error
    except image.DecompressionBombError as error:
        raise _unreadable(path, error) from error
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)  # noqa: PLR2004 # grey has no axis of channels


def _unreadable(path: Path, error: Exception) -> FileError:
    return FileError(
        "the image cannot be read",
        where=str(path),
        found=f"{type(error).__name__}: {error}",
        do="copy it again, or take it out of the folder",
    )


def _shown(shape: Sequence[int]) -> str:
    channels, height, width = shape
    return f"{width} x {height} pixels with {channels} channel{'' if channels == 1 else 's'}"

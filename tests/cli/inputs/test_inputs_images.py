"""Folders of images: sorted, from 0 to 1, opened one batch at a time, all of one shape."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from hinge.cli.inputs import Cut, Takes, open_data
from hinge.errors import DataError, FileError, HingeError

MODULE = Takes(nn.ReLU(), "model.py:network")


@pytest.fixture
def images(folder: Path) -> Path:
    path = folder / "images"
    (path / "below").mkdir(parents=True)
    return path


def batches(size: int = 256) -> list[np.ndarray]:
    return list(open_data("images", MODULE, Cut(batch_size=size)).batches)


def test_the_order_of_paths_and_the_range_of_values(images):
    for name, value in {"b.png": 51, "a.png": 255, "below/c.PNG": 0}.items():
        Image.new("RGB", (3, 2), (value, 0, 255)).save(images / name, "PNG")
    (images / "notes.txt").write_text("no image")
    (images / ".hidden.png").write_text("no image")
    first, second = batches(size=2)
    assert first.shape == (2, 3, 2, 3)
    assert first.dtype == np.float32
    reds = np.concatenate([first, second])[:, 0, 0, 0]
    np.testing.assert_allclose(reds, [1.0, 0.2, 0.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("I;16", 1), ("RGB", 3), ("RGBA", 3), ("P", 3)]
)
def test_channels_and_the_largest_value_of_every_kind(images, mode, channels):
    if mode == "I;16":
        picture = Image.fromarray(np.full((2, 3), 65535, np.uint16))
    else:
        picture = Image.new("RGB", (3, 2), "white").convert(mode)
    assert picture.mode == mode
    picture.save(images / "a.png")
    (batch,) = batches()
    np.testing.assert_array_equal(batch, np.ones((1, channels, 2, 3), np.float32))


def test_rows_and_columns_are_not_exchanged(images):
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    Image.fromarray(pixels).save(images / "a.png")
    (batch,) = batches()
    np.testing.assert_array_equal(np.round(batch[0, 0] * 255), pixels)


def test_the_first_that_differs_is_named(images):
    for name, size in {"a": (3, 2), "b": (3, 2), "c": (2, 3), "d": (9, 9)}.items():
        Image.new("L", size).save(images / f"{name}.png")
    with pytest.raises(DataError) as refused:
        batches()
    assert refused.value.where.endswith("c.png")
    assert "2 x 3 pixels" in refused.value.found


def test_grey_among_colours_is_named(images):
    Image.new("RGB", (3, 2)).save(images / "a.png")
    Image.new("L", (3, 2)).save(images / "b.png")
    with pytest.raises(DataError, match="1 channel;"):
        batches()


def test_a_damaged_image_is_named(images):
    Image.new("RGB", (64, 64)).save(images / "a.png")
    whole = (images / "a.png").read_bytes()
    (images / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"b\.png"):
        batches()


def test_a_name_may_be_wrong_about_the_format(images):
    Image.new("L", (3, 2), 255).save(images / "a.png", "JPEG")
    assert batches()[0].shape == (1, 1, 2, 3)


@pytest.mark.parametrize("kind", ["EPS", "PCX"])
def test_formats_that_are_not_for_pixels_alone_are_not_opened(images, kind):
    """EPS is a program: Pillow has it run by another one."""
    Image.new("L", (3, 2)).save(images / "a.png", kind)
    with pytest.raises(FileError, match=r"a\.png"):
        batches()


def test_many_images_come_in_order(images):
    for value in reversed(range(50)):
        Image.new("L", (1, 1), value).save(images / f"{value:02}.png")
    values = np.concatenate(batches(size=7)).ravel() * 255
    np.testing.assert_array_equal(np.round(values), np.arange(50))


def test_an_image_of_too_many_pixels_is_not_opened(images, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    for size in ((5, 5), (50, 50)):
        Image.new("L", size).save(images / "a.png")
        with pytest.raises(FileError, match="DecompressionBomb"):
            batches()


def test_without_pillow_the_error_says_what_to_install(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(HingeError, match="pip install pillow"):
        batches()

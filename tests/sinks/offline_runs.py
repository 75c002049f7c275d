"""Reads the rows of an offline run of wandb from its file, a LevelDB log of messages."""

import json
import struct
from pathlib import Path

import pytest

_BLOCK = 32768
_HEAD = struct.Struct("<IHB")  # checksum, length, kind of the piece
_LAST = (1, 4)  # the kinds that end a message: a whole one, the last of several


def rows(folder):
    """Each row as a dict, the keys of nested ones joined by slashes."""
    messages = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    [file] = Path(folder).glob("*.wandb")
    found = []
    for message in _messages(file.read_bytes()):
        record = messages.Record.FromString(message)
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            found.append({i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items})
    return found


def _messages(data):
    at, message = 7, b""
    while at + _HEAD.size <= len(data):
        if _BLOCK - at % _BLOCK < _HEAD.size:
            at += _BLOCK - at % _BLOCK
            continue
        _, length, kind = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        message += data[at : at + length]
        at += length
        if kind in _LAST:
            yield message
            message = b""

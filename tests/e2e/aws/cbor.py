"""CBOR (RFC 8949), as much of it as Smithy's rpc-v2-cbor speaks."""

import struct

FLOAT_FORMATS = {25: ">e", 26: ">f", 27: ">d"}
SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
BREAK = object()


class Timestamp(float):
    """Epoch seconds that go out under tag 1."""


def loads(data):
    """Reads one item."""
    value, end = _item(data, 0)
    if end != len(data):
        raise ValueError("bytes after the item")
    return value


def _item(data, at):
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return _simple(data, at, low)
    size = SIZES.get(low, 0)
    length = int.from_bytes(data[at : at + size], "big") if size else (None if low == 31 else low)
    at += size
    if major == 0:
        return length, at
    if major == 1:
        return -1 - length, at
    if major in (2, 3):
        return _string(data, at, length, is_text=major == 3)
    if major == 4:
        return _items(data, at, length)
    if major == 5:
        flat, at = _items(data, at, None if length is None else 2 * length)
        return dict(zip(flat[::2], flat[1::2])), at
    return _item(data, at)  # a tag; 1 is epoch seconds, whose number is kept


def _simple(data, at, low):
    if low in FLOAT_FORMATS:
        size = SIZES[low]
        return struct.unpack(FLOAT_FORMATS[low], data[at : at + size])[0], at + size
    return {20: False, 21: True, 22: None, 23: None, 31: BREAK}[low], at


def _string(data, at, length, is_text):
    if length is None:
        parts, at = _items(data, at, None)
        return ("" if is_text else b"").join(parts), at
    value = data[at : at + length]
    return (value.decode() if is_text else value), at + length


def _items(data, at, count):
    items = []
    while count is None or len(items) < count:
        value, at = _item(data, at)
        if value is BREAK:
            break
        items.append(value)
    return items, at


def dumps(value):
    """Writes one item."""
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, Timestamp):
        return b"\xc1\xfb" + struct.pack(">d", value)
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(dumps, value))
    return _head(5, len(value)) + b"".join(dumps(key) + dumps(it) for key, it in value.items())


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for low, size in SIZES.items():
        if number < 1 << 8 * size:
            return bytes([major << 5 | low]) + number.to_bytes(size, "big")
    raise ValueError("an integer of more than 64 bits")

"""Just enough of snappy and protobuf to read what a collector sends."""

from collections import defaultdict
from typing import cast


def unsnapped(data: bytes) -> bytes:
    """The content of a snappy block (google/snappy format_description.txt)."""
    size, at = varint(data, 0)
    out = bytearray()
    while at < len(data):
        kind, length = data[at] & 3, data[at] >> 2
        at += 1
        if kind == 0:
            extra = max(0, length - 59)
            if extra:
                length = int.from_bytes(data[at : at + extra], "little")
            at += extra
            out += data[at : at + length + 1]
            at += length + 1
            continue
        if kind == 1:
            offset, length = (length >> 3) << 8 | data[at], (length & 7) + 3
            at += 1
        else:
            width = 2 if kind == 2 else 4
            offset = int.from_bytes(data[at : at + width], "little")
            at += width
        # A copy may reach into what it is just writing.
        for _ in range(length + 1):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


class Message:
    """A protobuf message whose fields are known by their numbers."""

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = defaultdict(list)
        at = 0
        while at < len(data):
            tag, at = varint(data, at)
            number, kind = tag >> 3, tag & 7
            if kind == 0:
                value, at = varint(data, at)
                self._fields[number].append(value)
                continue
            length = {1: 8, 5: 4}.get(kind)
            if length is None:
                assert kind == 2, kind
                length, at = varint(data, at)
            self._fields[number].append(data[at : at + length])
            at += length

    def messages(self, number: int) -> list["Message"]:
        """The messages of a repeated field."""
        return [Message(cast("bytes", value)) for value in self._fields[number]]

    def message(self, number: int) -> "Message":
        """The message of a field, an empty one where it has none."""
        return next(iter(self.messages(number)), Message(b""))

    def text(self, number: int) -> str:
        """The text of a field."""
        values = self._fields[number]
        return cast("bytes", values[0]).decode() if values else ""

    def number(self, number: int) -> int:
        """The number of a field, 0 where it has none."""
        values = self._fields[number]
        if not values:
            return 0
        value = values[0]
        return value if isinstance(value, int) else int.from_bytes(value, "little")

"""Sets of workflow numbers, a bit each: an hour at the highest rate is 450 kB."""

import base64
import zlib
from collections.abc import Iterator


class Numbers:
    """A set of numbers from 0 on, as bits."""

    __slots__ = ("_bits",)

    def __init__(self, encoded: str = "") -> None:
        self._bits = bytearray(zlib.decompress(base64.b64decode(encoded)) if encoded else b"")

    def add(self, number: int) -> None:
        """Put a number in."""
        place, bit = divmod(number, 8)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits)))
        self._bits[place] |= 1 << bit

    def __contains__(self, number: int) -> bool:
        place, bit = divmod(number, 8)
        return place < len(self._bits) and bool(self._bits[place] >> bit & 1)

    def __len__(self) -> int:
        return self._all().bit_count()

    def __or__(self, other: "Numbers") -> "Numbers":
        both = Numbers()
        bits = self._all() | other._all()
        both._bits = bytearray(bits.to_bytes((bits.bit_length() + 7) // 8, "little"))
        return both

    def missing_from(self, other: "Numbers") -> int:
        """How many of these are not among the others."""
        return (self._all() & ~other._all()).bit_count()

    def without(self, other: "Numbers") -> Iterator[int]:
        """These that are not among the others, in order."""
        left = self._all() & ~other._all()
        while left:
            lowest = left & -left
            yield lowest.bit_length() - 1
            left ^= lowest

    def encode(self) -> str:
        """As text: compressed, base64."""
        return base64.b64encode(zlib.compress(bytes(self._bits))).decode()

    def _all(self) -> int:
        return int.from_bytes(self._bits, "little")

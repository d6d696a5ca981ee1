"""Addresses of subnets, handed out as AWS does: not those that it keeps, and none again at once."""

import ipaddress
import threading
from collections.abc import Iterable

from temporal_dsql_deploy.errors import StartFailed

_FIRST = 4
"""AWS keeps the first four addresses of a subnet and the last (VPC user guide, subnet sizing)."""


class Addresses:
    """Those of one VPC. Several threads may take."""

    def __init__(self, kept: Iterable[str] = ()) -> None:
        self._taken = set(kept)
        self._last: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, cidr: str) -> str:
        """An address of a subnet that nobody has.

        The next after the one that was handed out last: a process that looks for who was there
        before must not find somebody else. Raises StartFailed when there is none left.
        """
        subnet = ipaddress.IPv4Network(cidr)
        usable = subnet.num_addresses - _FIRST - 1
        with self._lock:
            start = self._last.get(cidr, -1)
            for step in range(usable):
                number = (start + 1 + step) % usable
                address = str(subnet[_FIRST + number])
                if address not in self._taken:
                    self._taken.add(address)
                    self._last[cidr] = number
                    return address
        raise StartFailed(
            f"subnet {cidr} has no address left",
            cause=f"all of its {max(usable, 0)} are taken",
            fix="take a larger VPC: the variable vpc_cidr",
        )

    def give_back(self, address: str) -> None:
        """The one who had it is gone."""
        with self._lock:
            self._taken.discard(address)

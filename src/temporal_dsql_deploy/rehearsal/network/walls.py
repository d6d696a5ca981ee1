"""The security groups of a rehearsal, kept in the kernel by nft."""

import shutil
import subprocess
import threading
from collections.abc import Collection, Iterable, Mapping

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.rehearsal.network import table
from temporal_dsql_deploy.rehearsal.network.rules import Rule, SecurityGroups
from temporal_dsql_deploy.rehearsal.network.table import Denied

_SECONDS = 30
_TOOL = "nft"


class Walls:
    """One table. Several threads may change it."""

    def __init__(self, bridge: str, free: Collection[str] = ()) -> None:
        self._bridge = bridge
        self._name = table_of(bridge)
        self._groups = SecurityGroups(free=frozenset(free))
        self._loaded: str | None = None
        self._lock = threading.Lock()

    @property
    def groups(self) -> SecurityGroups:
        """What holds now."""
        return self._groups

    def write(
        self,
        rules: Iterable[Rule] | None = None,
        worn: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Let these rules hold, for these wearers; None leaves what there was.

        Raises BinaryUnusable where nft refuses.
        """
        with self._lock:
            self._write(
                self._groups.rules if rules is None else tuple(rules),
                dict(self._groups.worn)
                if worn is None
                else {address: frozenset(groups) for address, groups in worn.items()},
            )

    def put(self, address: str, groups: Iterable[str]) -> None:
        """An address wears these groups from now on. Raises BinaryUnusable."""
        with self._lock:
            worn = {**self._groups.worn, address: frozenset(groups)}
            self._write(self._groups.rules, worn)

    def drop(self, address: str) -> None:
        """Nobody is at an address any more. Raises BinaryUnusable."""
        with self._lock:
            worn = {one: groups for one, groups in self._groups.worn.items() if one != address}
            self._write(self._groups.rules, worn)

    def denied(self) -> list[Denied]:
        """Who was refused since the table was made. Raises BinaryUnusable."""
        return denied(self._bridge)

    def remove(self) -> None:
        """Take the table away. Raises BinaryUnusable."""
        with self._lock:
            remove(self._bridge)
            self._loaded = None

    def _write(self, rules: tuple[Rule, ...], worn: dict[str, frozenset[str]]) -> None:
        groups = SecurityGroups(rules, worn, self._groups.free)
        text = table.render(self._name, groups)
        if text != self._loaded:
            load(text)
        self._groups, self._loaded = groups, text


def table_of(bridge: str) -> str:
    """The table of a device."""
    return f"walls_{bridge}"


def denied(bridge: str) -> list[Denied]:
    """Who was refused since the table of a device was made. Raises BinaryUnusable."""
    said = run("--json", "list", "set", "bridge", table_of(bridge), table.DENIED)
    return table.denied(said)


def remove(bridge: str) -> None:
    """Take the table of a device away, also where there is none. Raises BinaryUnusable."""
    load(table.removed(table_of(bridge)))


def load(text: str) -> None:
    """Let a file of nft's hold. Raises BinaryMissing, BinaryUnusable."""
    run("--file", "-", given=text)


def run(*words: str, given: str | None = None) -> str:
    """What nft says. Raises BinaryMissing, BinaryUnusable."""
    path = shutil.which(_TOOL) or shutil.which(_TOOL, path="/usr/sbin:/sbin")
    if path is None:
        raise BinaryMissing(
            "nft was not found",
            cause="it enforces the security groups of a rehearsal, and is neither on PATH nor in "
            "/usr/sbin",
            fix="install nftables: apt-get install nftables",
        )
    try:
        done = subprocess.run(
            [path, *words],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        said = done.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(str(error)) from error
    if done.returncode != 0:
        raise _refused(said)
    return done.stdout


def _refused(said: str) -> BinaryUnusable:
    return BinaryUnusable(
        "nft does not take the security groups of the rehearsal",
        cause=" ".join(said.split())[:400],
        fix="it takes root, and a Linux whose kernel has nftables for bridges",
    )

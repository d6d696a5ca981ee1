"""Service Connect: names that are fixed when a deployment is made, and where they lead.

ECS developer guide, service-connect-concepts-deploy: tasks of a deployment know the names that
were in the namespace when it was made; each leads by /etc/hosts to an address of loopback, where a
proxy of the task listens. Only tasks that a service has started have it.
"""

import ipaddress
import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.rehearsal.ecs import relay
from temporal_dsql_deploy.rehearsal.ecs.definition import Definition
from temporal_dsql_deploy.rehearsal.ecs.model import Alias

_FIRST = ipaddress.IPv4Address("127.255.0.1")


class Namespaces:
    """The names that services have given, by namespace."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, Alias]] = {}

    def give(self, namespace: str, aliases: Iterable[Alias]) -> None:
        """Add the names of a service, in place of those that it had."""
        new = list(aliases)
        there = self._names.setdefault(namespace, {})
        owners = {one.service for one in new}
        for name in [name for name, one in there.items() if one.service in owners]:
            del there[name]
        there.update({f"{one.host}:{one.port}": one for one in new})

    def take_back(self, service: str) -> None:
        """A service is gone, and its names with it."""
        for names in self._names.values():
            for name in [name for name, one in names.items() if one.service == service]:
                del names[name]

    def now(self, namespace: str) -> dict[str, Alias]:
        """What a deployment that is made now will know."""
        return dict(self._names.get(namespace, {}))


def aliases(
    service: str, said: Mapping[str, Any], definition: Definition, namespace: str
) -> list[Alias]:
    """The names that a service gives by its serviceConnectConfiguration."""
    found = []
    for one in said.get("services") or []:
        target = definition.port(one["portName"])
        if target is None:
            continue
        default = f"{one.get('discoveryName') or one['portName']}.{namespace}"
        for alias in one.get("clientAliases") or [{"port": target}]:
            host = alias.get("dnsName") or default
            found.append(Alias(host, int(alias["port"]), service, target))
    return found


def addresses(names: Mapping[str, Alias]) -> dict[str, str]:
    """An address of loopback for each host."""
    hosts = sorted({one.host for one in names.values()})
    return {host: str(_FIRST + number) for number, host in enumerate(hosts)}


class Proxy:
    """The relay in the network namespace of one task."""

    def __init__(self, pid: int, names: Mapping[str, Alias], own: Collection[int] = ()) -> None:
        """`own` are ports that the task itself listens on, at all of its addresses.

        A name with such a port leads to the task itself, where ECS would balance: nobody else can
        listen on a loopback address of that port.
        """
        self._names = {name: one for name, one in names.items() if one.port not in own}
        self._addresses = addresses(names)
        self._told: dict[str, list[str]] | None = None
        self._process = subprocess.Popen(
            # The relay is a file of its own: it starts in a moment, as it imports nothing of ours.
            ["nsenter", "--target", str(pid), "--net", sys.executable, str(Path(relay.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def tell(self, running: Mapping[str, list[str]]) -> None:
        """Lead the names to these addresses, which are those of running tasks by service."""
        told = {
            f"{self._addresses[one.host]}:{one.port}": [
                f"{address}:{one.target}" for address in running.get(one.service, [])
            ]
            for one in self._names.values()
        }
        if told == self._told or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
            self._told = told
        except OSError:
            # The task has just ended, and its namespace with it.
            return

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

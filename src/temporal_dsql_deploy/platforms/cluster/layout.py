"""Who stands where: an address and ports for every process of a cluster on this machine."""

import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.topology import Topology

DATABASE, UI, OPENSEARCH = "database", "ui", "opensearch"
"""The components besides the roles."""
_ADDRESSES = (DATABASE, UI, OPENSEARCH)
"""In the order of their last numbers."""
SHARED = 0
"""The network of a cluster whose processes share one address."""
NETWORKS = range(11, 61)
"""Where a network is looked for: the second number of its addresses."""
_LOOPBACK = "127.0.0.1"
_STEP = 100
_LAST_PORT = 65535
IsFree = Callable[[int, str], bool]
"""Whether a server could listen on a port of an address. Raises OSError where it never may."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process listens."""

    name: str
    """`history-2`; the component where there is only ever one."""
    component: str
    """Role, or `database`, `opensearch` or `ui`."""
    address: str
    """An IP address of the loopback network."""
    ports: Mapping[str, int]
    """TCP ports by name, as in topology.json, and `metrics`."""


def places(  # noqa: PLR0913 - all that a place depends on
    replicas: Mapping[str, int],
    network: int,
    asked: Mapping[str, int],
    before: Mapping[str, Mapping[str, int]],
    is_free: IsFree,
    *,
    opensearch: bool = False,
) -> list[Place]:
    """A place for every process, in the order of their start: the stores, the roles, the UI.

    `asked` has ports by the names of an environment: frontend, http, ui, metrics; `before` those of
    the last run by the names of places, which matter on a shared address only.
    Raises InvalidSetting where there is no port left.
    """
    taken: set[int] = set()
    found = []
    for name, component, number in names(replicas, opensearch=opensearch):
        address = address_of(component, number, network)
        standard = _standard(component, asked)
        if network == SHARED:
            known = before.get(name, {})
            standard = _shifted(standard, known, taken, lambda port: is_free(port, _LOOPBACK))
            taken.update(standard.values())
        found.append(Place(name, component, address, standard))
    return found


def names(replicas: Mapping[str, int], *, opensearch: bool) -> list[tuple[str, str, int]]:
    """Name, component and number of every process, in the order of their start."""
    started = [step.component for step in topology.load().start_order if step.component != UI]
    return [
        (DATABASE, DATABASE, 1),
        *([(OPENSEARCH, OPENSEARCH, 1)] if opensearch else []),
        *(
            (f"{role}-{number}", role, number)
            for role in started
            for number in range(1, replicas[role] + 1)
        ),
        (UI, UI, 1),
    ]


def address_of(component: str, number: int, network: int) -> str:
    """127.NETWORK.ROLE.NUMBER, roles counted as in topology.json; 0 is for what is no role."""
    if network == SHARED:
        return _LOOPBACK
    rows = list(topology.load().roles)
    if component in rows:
        return f"127.{network}.{rows.index(component) + 1}.{number}"
    return f"127.{network}.0.{_ADDRESSES.index(component) + 1}"


def _standard(component: str, asked: Mapping[str, int]) -> dict[str, int]:
    house = topology.load()
    if component == DATABASE:
        return dict(house.externals[DATABASE].ports)
    if component == OPENSEARCH:
        return dict(house.opensearch_ports)
    if component == UI:
        return {"http": asked.get("ui", house.ui_port)}
    ports = {**house.roles[component].ports, "metrics": asked.get("metrics", house.metrics_port)}
    if component == "frontend":
        ports["grpc"] = asked.get("frontend", ports["grpc"])
        ports["http"] = asked.get("http", ports["http"])
    return ports


def _shifted(
    standard: Mapping[str, int],
    before: Mapping[str, int],
    taken: set[int],
    is_free: Callable[[int], bool],
) -> dict[str, int]:
    """Those of the last run, else the standard ones, else the next free ones a step above."""
    found: dict[str, int] = {}
    for name, port in standard.items():
        used = taken | set(found.values())
        last = before.get(name)
        if last is not None and last not in used and (last - port) % _STEP == 0:
            found[name] = last
        else:
            found[name] = _next(range(port, _highest(name) + 1, _STEP), used, is_free)
    return found


def _next(ports: range, used: set[int], is_free: Callable[[int], bool]) -> int:
    for port in ports:
        if port not in used and is_free(port):
            return port
    raise InvalidSetting(
        f"there is no port left for what usually has {ports.start}",
        cause=f"every {_STEP}th up to {ports.stop - 1} is taken",
        fix="stop what listens there, or run fewer processes",
    )


def _highest(name: str) -> int:
    if name != "membership":
        return _LAST_PORT
    # The column that it is stored in takes no more.
    highest = topology.load().runtime["TEMPORAL_MEMBERSHIP_PORT"].maximum
    assert isinstance(highest, int)  # noqa: S101 - topology.json says so, and a test holds it
    return highest


def find_network(
    replicas: Mapping[str, int],
    asked: Mapping[str, int],
    is_free: IsFree,
    *,
    opensearch: bool = False,
) -> int:
    """The first network in which all places are free; SHARED where this system has one address."""
    for network in NETWORKS:
        try:
            found = places(replicas, network, asked, {}, is_free, opensearch=opensearch)
            if all(_free(place, is_free) for place in found):
                return network
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            return SHARED
    raise InvalidSetting(
        "there is no loopback network left for this cluster",
        cause=f"something listens in each of 127.{NETWORKS[0]} to 127.{NETWORKS[-1]}",
        fix="stop a cluster, or choose one in the environment's file: network = 70",
    )


def _free(place: Place, is_free: IsFree) -> bool:
    return all(is_free(port, place.address) for port in place.ports.values())


def taken_twice(found: Iterable[Place]) -> None:
    """Raise InvalidSetting where two processes, or two ports of one, are the same."""
    owners: dict[tuple[str, int], str] = {}
    for place in found:
        for name, port in place.ports.items():
            what = f"the {name} port of {place.name}"
            other = owners.setdefault((place.address, port), what)
            if other != what:
                raise InvalidSetting(
                    f"{other} and {what} are both {port}",
                    cause="each needs a port of its own",
                    fix="change one of them in the options or the environment's file",
                )


def roles(house: Topology | None = None) -> list[str]:
    """The roles in the order in which they start."""
    house = house or topology.load()
    return [step.component for step in house.start_order if step.component in house.roles]

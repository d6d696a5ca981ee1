"""One container of a cluster, as the engine describes it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.cluster import layout
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE, UI
from temporal_dsql_deploy.platforms.processes.record import Exit, clock

SCHEMA, UNPUBLISHED = "schema", "frontend-unpublished"
"""Services of the Compose file that are no components: one runs once, one is more frontends."""
SCALE = {
    "history": "TEMPORAL_HISTORY_REPLICAS",
    "matching": "TEMPORAL_MATCHING_REPLICAS",
    "worker": "TEMPORAL_WORKER_REPLICAS",
    UNPUBLISHED: "TEMPORAL_UNPUBLISHED_FRONTENDS",
}
"""The variable of the Compose file for the number of a service's containers; others have one."""
_LABEL = "com.docker.compose."
_SIGNALS = 128
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Container:
    """One that is there, whether it runs or not; a `Run`."""

    component: str
    """Its name in the cluster, such as `history-2`."""
    settings: Mapping[str, Any]
    """As in `Run`; the address is empty while it does not run."""
    started_at: str
    """UTC, ISO 8601; empty before its first start."""
    pid: int | None
    exit: Exit | None
    """None while it runs, and before its first start."""
    out_of_memory: bool
    id: str
    service: str
    image: str
    """The image's id."""
    hash: str
    """Of its definition, by the Compose that has made it."""
    published: Mapping[int, int]
    """Ports of this machine's 127.0.0.1, by those of the container."""

    def alive(self) -> bool:
        """Whether it runs."""
        return self.pid is not None

    def how(self) -> str:
        """How it has ended, for a sentence."""
        if self.exit is None:
            return "has not been started"
        why = ": the memory was used up" if self.out_of_memory else ""
        return self.exit.describe() + why

    def ended(self) -> str:
        """How it has ended and when, for people."""
        return f"{self.how()} at {clock(self.exit.at)}" if self.exit else self.how()


def read(described: Iterable[Mapping[str, Any]]) -> dict[str, Container]:
    """The containers of a project by name, in the order of their start, the schema's last.

    Names count the containers of a component, so that there is always a first.
    """
    ordered = sorted(described, key=_order)
    counted: dict[str, int] = {}
    found = {}
    for one in ordered:
        component = _component(one)
        counted[component] = counted.get(component, 0) + 1
        alone = component not in topology.load().roles
        name = component if alone else f"{component}-{counted[component]}"
        found[name] = _container(name, component, one)
    return found


def scale(replicas: Mapping[str, int], there: Collection[Container]) -> dict[str, str]:
    """The variables that say how many containers each service has for so many instances.

    None that is there goes for its number: that is not for Compose to decide.
    """
    wanted = {**replicas, UNPUBLISHED: replicas["frontend"] - 1}
    present = Counter(one.service for one in there)
    return {
        variable: str(max(wanted[service], present[service])) for service, variable in SCALE.items()
    }


def service_of(component: str, number: int) -> str:
    """The service that the instance of this number belongs to."""
    return UNPUBLISHED if component == "frontend" and number > 1 else component


def _component(described: Mapping[str, Any]) -> str:
    service = _label(described, "service")
    return "frontend" if service == UNPUBLISHED else service


def _order(described: Mapping[str, Any]) -> tuple[int, bool, int]:
    order = [DATABASE, *layout.roles(), UI, SCHEMA]
    service = _label(described, "service")
    number = int(_label(described, "container-number") or 1)
    return (order.index(_component(described)), service == UNPUBLISHED, number)


def _label(described: Mapping[str, Any], name: str) -> str:
    return str(described["Config"]["Labels"].get(_LABEL + name, ""))


def _container(name: str, component: str, described: Mapping[str, Any]) -> Container:
    state = described["State"]
    published = _published(described)
    runs = bool(state["Running"]) and not state.get("Restarting")
    begun = not str(state["StartedAt"]).startswith("0001")
    ended = Exit(_code(int(state["ExitCode"])), str(state["FinishedAt"]))
    return Container(
        component=name,
        settings=_settings(component, _address(described), published),
        started_at=str(state["StartedAt"]) if begun else "",
        pid=int(state["Pid"]) if runs else None,
        exit=ended if begun and not runs else None,
        out_of_memory=bool(state.get("OOMKilled")),
        id=str(described["Id"]),
        service=_label(described, "service"),
        image=str(described["Image"]),
        hash=_label(described, "config-hash"),
        published=published,
    )


def _code(code: int) -> int:
    """As `subprocess` has it: a shell's 137 is a death by signal 9."""
    return _SIGNALS - code if code > _SIGNALS and code != _SIGNALS + 15 else code


def _settings(component: str, address: str, published: Mapping[int, int]) -> dict[str, Any]:
    house = topology.load()
    if component == DATABASE:
        ports = dict(house.externals[DATABASE].ports)
    elif component == UI:
        # Browsers are on this machine: its address is the published one.
        return {
            "component": UI,
            "address": _LOOPBACK,
            "ports": {"http": published.get(house.ui_port, house.ui_port)},
        }
    elif component == SCHEMA:
        ports = {}
    else:
        ports = {**house.roles[component].ports, "metrics": house.metrics_port}
    return {"component": component, "address": address, "ports": ports}


def _address(described: Mapping[str, Any]) -> str:
    networks = described["NetworkSettings"]["Networks"].values()
    return next((one["IPAddress"] for one in networks if one.get("IPAddress")), "")


def _published(described: Mapping[str, Any]) -> dict[int, int]:
    """Ports of this machine by those of the container."""
    found = {}
    for inside, bindings in (described["HostConfig"].get("PortBindings") or {}).items():
        for one in bindings or []:
            if str(one.get("HostPort", "")).isdecimal():
                found[int(inside.partition("/")[0])] = int(one["HostPort"])
    return found

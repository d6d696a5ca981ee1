"""Property 10: containers listen where the others look for them."""

from collections import Counter
from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import Inside, blocks, definitions, hidden, inside, main
from temporal_dsql_deploy.checks.model import CannotJudge, Said, Seen
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.tasks import Task

FAMILY = Family("ports", "Containers listen where others look for them")
_LISTENS = {"ui": "TEMPORAL_UI_PORT", "grafana": "GF_SERVER_HTTP_PORT", "loki": ""}
_DEFAULTS = {"grafana": 3000, "loki": 3100}
"""grafana/grafana conf/defaults.ini: http_port; grafana/loki cmd/loki: server.http_listen_port. The
UI's is in topology.json."""


@FAMILY.rule(
    "role",
    holds="Each Temporal role has its ports mapped: gRPC, membership, metrics; the frontend HTTP.",
    symptom="Under awsvpc a process can be reached on a port that is not mapped as well, so "
    "nothing fails at once; but Service Connect gives no name to such a port, and who reads the "
    "mappings to find a role, its metrics or its health looks in the wrong place.",
    fix="Map the ports of the role, each under its own name.",
    source="temporalio/temporal config/docker.yaml; ECS API, PortMapping",
    seeds=("S0-PR10",),
)
def role(subject: Subject) -> Iterator[Said]:
    """Ports of roles."""
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    yield from hidden(subject.roles.values())
    facts = topology.load()
    scraped = any(
        facts.metrics_port in one.container.ports
        for task in subject.roles.values()
        if (one := main(task))
    )
    for name, task in subject.roles.items():
        one = main(task)
        if one is None:
            continue
        wanted = {**facts.roles[name].ports}
        if scraped:  # Where none is, the metrics are on another port, or nobody's.
            wanted["metrics"] = facts.metrics_port
        for label, port in wanted.items():
            if port not in one.container.ports:
                mapped = ", ".join(map(str, one.container.ports)) or "none"
                yield one.wrong("portMappings", f"{port} ({label}) is not among {mapped}")
        others = {
            p: r for r, known in facts.roles.items() if r != name for p in known.ports.values()
        }
        for index, port in enumerate(one.container.ports):
            if port in others:
                said = f"{port} is a port of {others[port]}"
                yield one.wrong(f"portMappings.{index}.containerPort", said)
    yield Seen(f"{len(subject.roles)} roles")


@FAMILY.rule(
    "page",
    holds="UI, Grafana and Loki have the port mapped on which they listen.",
    symptom="A forwarded port answers `connection refused`, and the health check of the container "
    "asks a port where nobody is.",
    fix="Map 8080 for the UI, 3000 for Grafana, 3100 for Loki, or what their environment sets.",
    source="temporalio/ui server image: TEMPORAL_UI_PORT; grafana/grafana conf/defaults.ini",
    seeds=("S0-PR10", "S0-T5", "S0-T6"),
)
def page(subject: Subject) -> Iterator[Said]:
    """Ports of web pages."""
    pages = [task for task in definitions(subject) if task.party in _LISTENS]
    if not pages:
        raise CannotJudge("the plan has no UI, no Grafana and no Loki")
    yield from hidden(pages)
    for task in pages:
        # What prepares the task may stand first and is not essential.
        one = next((each for each in inside([task]) if each["essential"] is not False), None)
        if one is None:
            continue
        usual = {**_DEFAULTS, "ui": topology.load().ui_port}[task.party]
        said = one.container.environment.get(_LISTENS[task.party]) or str(usual)
        if task.party == "ui" and said != str(usual):
            path = f"environment.{_LISTENS[task.party]}"
            yield one.wrong(path, f"it listens on {said}; all look for the UI on {usual}")
        elif said not in map(str, one.container.ports):
            mapped = ", ".join(map(str, one.container.ports)) or "no port"
            yield one.wrong("portMappings", f"it listens on {said}, and {mapped} is mapped")


_UDP = (
    "Nothing fails at once: under awsvpc a port is reached whatever its mapping says. Service "
    "Connect leads to no UDP port."
)


@FAMILY.rule(
    "same-number",
    holds="A port has one number inside and outside of an awsvpc task, and is TCP.",
    symptom="ECS refuses the task definition: `When networkMode=awsvpc, the host ports and "
    "container ports in port mappings must match`.",
    fix="Leave hostPort and protocol out, or set them to the container port and tcp.",
    source="ECS API, PortMapping",
    seeds=("S0-PR10",),
)
def same_number(subject: Subject) -> Iterator[Said]:
    """Numbers and protocols of ports."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    count = 0
    for one in inside(tasks):
        for index, mapping in enumerate(blocks(one["portMappings"])):
            count += 1
            port, host = mapping.get("containerPort"), mapping.get("hostPort")
            awsvpc = one.task.definition["network_mode"] == "awsvpc"
            if awsvpc and host not in (None, 0, port):
                said = f"hostPort {host}, containerPort {port}"
                yield one.wrong(f"portMappings.{index}.hostPort", said)
            # What stands beside may listen on UDP: a statsd agent, for one.
            known = one.task.party and one.container is one.task.main
            if known and mapping.get("protocol", "tcp") != "tcp":
                said = f"{port} is {mapping['protocol']}"
                yield one.wrong(f"portMappings.{index}.protocol", said, _UDP)
    yield Seen(f"{count} ports")


@FAMILY.rule(
    "once",
    holds="No two containers of a task listen on one port.",
    symptom="They share one network: the second ends with `bind: address already in use`.",
    fix="Give one of them another port.",
    source="ECS developer guide, task-networking-awsvpc",
    seeds=("S0-PR10",),
)
def once(subject: Subject) -> Iterator[Said]:
    """Ports that are mapped twice."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    for task in tasks:
        yield from _twice(task)


def _twice(task: Task) -> Iterator[Said]:
    counted = Counter(port for each in task.containers or () for port in each.ports)
    for one in inside([task]):
        for index, port in enumerate(one.container.ports):
            if counted[port] > 1:
                yield _at(one, index, port)


def _at(one: Inside, index: int, port: int) -> Said:
    return one.wrong(f"portMappings.{index}.containerPort", f"{port} is mapped twice in the task")

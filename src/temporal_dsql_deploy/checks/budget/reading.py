"""What connects to DSQL, read from a plan."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.capacity.connections import (
    Cluster,
    Limiter,
    Service,
    Settings,
    read,
)
from temporal_dsql_deploy.checks.fit.deployment import DEFAULTS, LEAST, MOST, percent
from temporal_dsql_deploy.checks.model import CannotJudge, Unjudged
from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan.containers import Container
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

_PLUGIN = ("TEMPORAL_SQL_PLUGIN_NAME", "SQL_PLUGIN_NAME", "SQL_PLUGIN")
_DOUBLE = ("BLUE_GREEN", "LINEAR", "CANARY")


@dataclass(frozen=True, slots=True)
class Member:
    """A role of Temporal that keeps its data in DSQL."""

    task: Task
    container: Container
    settings: Settings
    service: Service
    """Its name is the task's; where nothing says how large the pool is, with the server's 100."""

    @property
    def name(self) -> str:
        """What it is called, such as `history`."""
        return self.service.name

    @property
    def address(self) -> str:
        """Address of its task definition."""
        return self.task.definition.address

    @property
    def said(self) -> str:
        """What of its environment the plugin does not read, as a clause; empty for nothing."""
        read_as = [f"{name}={value}" for name, value in self.settings.defaulted.items()]
        return f" ({self.name}: {', '.join(read_as)} is read as the default)" if read_as else ""

    def attribute(self, variable: str) -> str:
        """Dotted path of a variable of its environment."""
        return f"container_definitions.{self.container.name}.environment.{variable}"

    def states(self, variable: str) -> bool:
        """Whether its environment has the variable."""
        return variable in self.container.environment


@dataclass(frozen=True, slots=True)
class Reading:
    """All that connects to DSQL."""

    members: tuple[Member, ...]
    unjudged: tuple[Unjudged, ...]
    """What connects too, or may, and cannot be told."""

    def cluster(self, *, sized: bool = False) -> Cluster:
        """All members as plain numbers.

        Raises CannotJudge where the sizes of pools matter and the plan does not say one.
        """
        unsized = [one.name for one in self.members if not one.settings.sized]
        if sized and unsized:
            raise CannotJudge(
                f"nothing in the environment of {', '.join(unsized)} says how many connections "
                "a process may hold (TEMPORAL_SQL_MAX_CONNS)"
            )
        together = [one.settings for one in self.members if one.settings.limits_together]
        limiter = None
        if together and len(together) == len(self.members):
            limiter = Limiter(
                max(one.limiter_limit for one in together),
                min(one.limiter_max_wait for one in together),
            )
        return Cluster(tuple(one.service for one in self.members), limiter)


@once
def reading(subject: Subject) -> Reading:
    """What connects to DSQL. Raises CannotJudge where nothing does that could be judged."""
    members: list[Member] = []
    unjudged: list[Unjudged] = []
    for task in subject.tasks:
        found = _member(task)
        if isinstance(found, Member):
            members.append(found)
        elif found:
            unjudged.append(Unjudged(task.definition.address, found))
    if not members:
        reasons = "; ".join(dict.fromkeys(one.reason for one in unjudged))
        raise CannotJudge(reasons or "the plan has no role of Temporal that stores in DSQL")
    there = {task.role for task in subject.tasks}
    missing = [role for role in topology.load().roles if role not in there]
    if missing:
        reason = f"the plan has no {', '.join(missing)}: what they add is in no sum"
        unjudged.append(Unjudged("", reason))
    return Reading(tuple(members), tuple(unjudged))


def _member(task: Task) -> Member | str:
    """The role in a task, or why it cannot be told; empty for what does not connect to DSQL."""
    main = task.main
    if main is None:
        return "its containers are not known" if task.role else ""
    if not _stores_in_dsql(main):
        return f"nothing says that {task.name} stores in DSQL" if task.role else ""
    if task.role is None:
        several = "it connects to DSQL and is no single role of Temporal, as measured"
        return several if task.service else ""
    hidden = [name for name in main.secrets if name.startswith(("DSQL_", "TEMPORAL_SQL_MAX"))]
    if hidden:
        return f"{', '.join(hidden)} is a secret, which no plan shows"
    return _running(task, main)


def _running(task: Task, main: Container) -> Member | str:
    if task.replicas is None:
        return f"nothing says how many tasks of {task.name} there are"
    least, most = _percents(task.service)
    if least is None or most is None:
        return f"how ECS replaces tasks of {task.name} is known only after an apply"
    settings = read(main.environment)
    stop = main.definition.get("stopTimeout")
    service = Service(
        task.name,
        settings.pool,
        task.replicas,
        least,
        most,
        float(stop) if isinstance(stop, int) else 30.0,
    )
    return Member(task, main, settings, service)


def _percents(service: Resource | None) -> tuple[int | None, int | None]:
    """Fewest and most tasks of a deployment, in percent; None where that is not known."""
    if service is None:
        return DEFAULTS[LEAST], DEFAULTS[MOST]
    return percent(service, LEAST), 200 if _runs_double(service) else percent(service, MOST)


def _runs_double(service: Resource) -> bool:
    """Whether a deployment runs all new tasks beside all old ones, whatever the percentages say.

    ECS API, DeploymentConfiguration.strategy; CodeDeploy shifts traffic between two sets of tasks.
    """
    strategy = service["deployment_configuration.0.strategy"]
    return strategy in _DOUBLE or service["deployment_controller.0.type"] == "CODE_DEPLOY"


def _stores_in_dsql(main: Container) -> bool:
    plugin = next((main.environment[one] for one in _PLUGIN if one in main.environment), None)
    if plugin is not None:
        return plugin == "dsql"
    names = (*main.environment, *main.secrets)
    return any(name == "CLUSTER_ENDPOINT" or name.startswith("DSQL_") for name in names)


def summed(
    members: Iterable[Member], tasks: Callable[[Member], int], each: Callable[[Member], int]
) -> str:
    """A sum written out: `history 8 x 15 + worker 2 x 3 = 126`."""
    of_each = [(one.name, tasks(one), each(one)) for one in members]
    total = sum(count * number for _, count, number in of_each)
    parts = " + ".join(f"{name} {count:,} x {number:,}" for name, count, number in of_each)
    return f"{parts} = {total:,}"

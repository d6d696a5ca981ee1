"""How long a start may take and a stop does, and what a failed deployment does."""

from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.capacity import connections
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.health import check_of, number
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    judged,
    runs_on,
    servers,
    services,
    speaks_dsql,
)
from temporal_dsql_deploy.checks.model import Finding, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN

_ROLE_SECONDS = {"history": 5.3}
"""From having its connections to SERVING, cold."""
_OTHER_ROLE_SECONDS = 0.7
_JOIN_SECONDS = 60.0
"""Until a join among members that are gone has succeeded, or the process ends by itself."""
_LEAST_STOP = 21
"""All roles told to stop at once have exited after 20.5 s."""
_FARGATE_STOP = 120
_LAB = "measured with temporal-server 1.32.2 and the Temporal-DSQL server at cf90c57"


def start_seconds(subject: Subject, place: Place) -> float:
    """Seconds from a role's start to SERVING, where nothing goes wrong; its connections first.

    In reservoir mode the longest start that still succeeds by itself.
    """
    role = place.task.role or ""
    own = _ROLE_SECONDS.get(role, _OTHER_ROLE_SECONDS)
    if not speaks_dsql(subject, place.container):
        return own
    settings = connections.read(place.container.environment)
    limiter = None
    if settings.limits_together:
        limiter = connections.Limiter(settings.limiter_limit, settings.limiter_max_wait)
    service = connections.Service(role, settings.pool, 1)
    cluster = connections.Cluster((service,), limiter)
    opened = connections.first_healthy(cluster, service, 1)
    return max(opened, settings.pool.last_start_seconds or 0.0) + own


@FAMILY.rule(
    "start-period",
    holds="A role has as long to start as it was measured to take: its connections, the join among "
    "members that are gone, and in reservoir mode three fills that wait for their time-out.",
    symptom="ECS kills the role while it starts and starts another one, whose connects are added "
    "to those of the first: it never becomes healthy. In reservoir mode SIGTERM is ignored "
    "meanwhile, so every kill is a SIGKILL that leaves its leases behind.",
    fix="Raise startPeriod of the health check, 300 s at most; else more connects per second, a "
    "smaller pool, or a shorter DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT.",
    source=_LAB,
)
def start_period(subject: Subject) -> Iterator[Said]:
    """Within startPeriod failures do not count; after it as many as `retries` may follow."""

    def judge(place: Place) -> Iterator[Said]:
        check = check_of(place)
        numbers = (
            [number(check, n) for n in ("startPeriod", "interval", "retries")] if check else []
        )
        if len(numbers) == 0 or not all(isinstance(each, int) for each in numbers):
            return
        period, interval, retries = numbers
        usual = start_seconds(subject, place)
        killed = period + (retries - 1) * interval
        if period < usual:
            yield place.finding(
                "healthCheck.startPeriod", f"startPeriod is {period} s, a start takes {usual:.0f} s"
            )
        elif killed < usual + _JOIN_SECONDS:
            yield place.finding(
                "healthCheck.startPeriod",
                f"killed after {killed} s, a start among members that are gone takes up to "
                f"{usual + _JOIN_SECONDS:.0f} s",
            )

    return judged(servers(subject), judge)


@FAMILY.rule(
    "grace-period",
    holds="The grace period of a role's service is as long as its start takes.",
    symptom="ECS, or the load balancer, counts a role that is still starting as unhealthy and "
    "replaces it.",
    fix="Raise health_check_grace_period_seconds above the start, or leave it out where there is "
    "no load balancer.",
    source=_LAB + "; ECS API, CreateService healthCheckGracePeriodSeconds",
)
def grace_period(subject: Subject) -> Iterator[Said]:
    """Without a load balancer the health check's own startPeriod protects a start."""

    def judge(place: Place) -> Iterator[Said]:
        service = place.task.service
        if service is None:
            return
        path = "health_check_grace_period_seconds"
        given, balanced = service[path], bool(service["load_balancer"] not in (None, [], UNKNOWN))
        if given is UNKNOWN:
            yield Unjudged(service.address, "its grace period is known only after an apply")
            return
        usual = start_seconds(subject, place)
        if isinstance(given, int | float) and 0 < given < usual:
            yield Finding(service.address, path, f"{given:g} s, a start takes {usual:.0f} s")
        elif not given and balanced:
            yield Finding(service.address, path, "none, and a load balancer asks for its health")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "stop-timeout",
    holds="A role has as long to stop as its drain takes.",
    symptom="ECS kills it in the middle of the drain: calls in flight fail with `connection "
    "refused` or `connection reset by peer`, and its leases stay counted for ever.",
    fix="Set stopTimeout to 30.",
    source="measured with temporal-server 1.32.2: 20.5 s for all roles at once",
)
def stop_timeout(subject: Subject) -> Iterator[Said]:
    """30 s where nothing is said: the agent's default on EC2, and Fargate's."""
    default = topology.load().drain.stop_timeout_seconds

    def judge(place: Place) -> Iterator[Said]:
        given = place.definition.get("stopTimeout")
        found = default if given is None else given
        if not isinstance(found, int) or found < _LEAST_STOP:
            yield place.finding("stopTimeout", f"stopTimeout is {found}, a stop takes 20.5 s")
        elif found > _FARGATE_STOP and runs_on(place.task, "FARGATE"):
            yield place.finding(
                "stopTimeout",
                f"stopTimeout is {found} s, Fargate takes 120 s at most",
                "AWS refuses the task definition.",
                "Set 120 or less.",
            )

    return judged(servers(subject), judge)


@FAMILY.rule(
    "circuit-breaker",
    holds="A deployment that fails is stopped and rolled back.",
    symptom="ECS starts tasks that cannot start for ever, each with its connects to DSQL and, when "
    "it is killed, its leaked leases; nobody is told.",
    fix="deployment_circuit_breaker with enable and rollback true.",
    source="ECS API, DeploymentCircuitBreaker",
)
def circuit_breaker(subject: Subject) -> Iterator[Said]:
    """Of services that ECS itself deploys."""
    for service in services(subject):
        controller = service["deployment_controller.0.type"]
        if controller not in {None, "ECS"}:
            continue
        breaker = service["deployment_circuit_breaker.0"]
        if breaker is UNKNOWN or service["deployment_circuit_breaker"] is UNKNOWN:
            yield Unjudged(service.address, "its circuit breaker is known only after an apply")
            continue
        for name in ("enable", "rollback"):
            found = breaker.get(name) if isinstance(breaker, dict) else None
            if found is not True:
                path = f"deployment_circuit_breaker.0.{name}"
                yield Finding(service.address, path, f"{name} is {str(bool(found)).lower()}")

"""Scale, restart and stop the services of an environment, each change waited for."""

import time
from collections.abc import Mapping, Sequence

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import DeployError, NotRunning, StoppedHalfway
from temporal_dsql_deploy.operations.down import DownResult
from temporal_dsql_deploy.operations.on_ecs.prove import prove
from temporal_dsql_deploy.operations.prove import Proof
from temporal_dsql_deploy.operations.restart import Restarted, RestartPlan, RestartResult
from temporal_dsql_deploy.operations.scale import ScalePlan, ScaleResult
from temporal_dsql_deploy.operations.staged.work import PRODUCTION, Ask, Question
from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform
from temporal_dsql_deploy.platforms.protocol import Change, Report, State, Stopped


def plan_scale(
    platform: EcsPlatform, environment: Environment, replicas: Mapping[str, int]
) -> ScalePlan:
    """What `scale` would do. Raises NotRunning, NotApplied."""
    _refuse_stopped(platform, environment)
    changes = platform.plan_scale(replicas)
    return ScalePlan(environment.name, changes, _warnings(platform, replicas))


def scale(
    platform: EcsPlatform,
    environment: Environment,
    replicas: Mapping[str, int],
    *,
    deadline: float,
    report: Report,
) -> ScaleResult:
    """So many tasks of these roles; returns when they are healthy and others gone, with a probe.

    Terraform leaves the number of tasks alone, so an apply changes nothing of it, nor does `up`;
    after a `down` it starts what the outputs say. Raises NotRunning, NotApplied, RolledBack,
    NotReady, and what the probe raises.
    """
    with platform.lock("scale", report):
        _refuse_stopped(platform, environment)
        changes = platform.scale(replicas, lambda: None, lambda _: None)
        for change in changes:
            report(f"{change.what}: {change.detail}")
    result = prove(platform, environment, Proof(deadline, changed=bool(changes)), report)
    return ScaleResult(
        environment=environment.name,
        changes=changes,
        warnings=_warnings(platform, replicas),
        status=platform.status(),
        probe=result,
    )


def _refuse_stopped(platform: EcsPlatform, environment: Environment) -> None:
    if not platform.running():
        raise NotRunning(
            f"environment {environment.name} is not running",
            cause="none of its tasks runs",
            fix="start it: dsql-deploy up ENV",
        )


def _warnings(platform: EcsPlatform, replicas: Mapping[str, int]) -> list[str]:
    said = {role: platform.deployed.service(role)["replicas"] for role in replicas}
    return [
        f"its Terraform says {role} has {said[role]}: after a `down`, `up` starts so many"
        for role, count in replicas.items()
        if said[role] != count
    ]


def restart_choices(platform: EcsPlatform) -> list[str]:
    """What can be restarted by name: components, and single tasks by their places."""
    places = [one.name for one in platform.seen().places]
    return list(dict.fromkeys([*platform.deployed.components, *places]))


def plan_restart(
    platform: EcsPlatform, environment: Environment, chosen: Sequence[str]
) -> RestartPlan:
    """What `restart` would do, in this order. Raises NotRunning."""
    _refuse_stopped(platform, environment)
    changes = [
        Change(what=name, action="restart", detail=_how(platform, name))
        for name in _in_order(platform, chosen)
    ]
    return RestartPlan(environment.name, changes)


def _how(platform: EcsPlatform, name: str) -> str:
    return "a new deployment" if name in platform.deployed.components else "its task is stopped"


def _in_order(platform: EcsPlatform, chosen: Sequence[str]) -> list[str]:
    """What does not serve, then the rest in the order of start.

    Who is asked comes before who asks, and whoever serves in the place of what does not must not
    be stopped meanwhile.
    """
    seen = platform.seen()
    there = [name for name, one in seen.services.items() if one.desired]
    names = [name for name in restart_choices(platform) if name in chosen] if chosen else there

    def serves(name: str) -> bool:
        places = [one for one in seen.places if name in {one.component, one.name}]
        return all(one.state is State.SERVING for one in places)

    return sorted(names, key=serves)


def restart(
    platform: EcsPlatform,
    environment: Environment,
    chosen: Sequence[str],
    *,
    deadline: float,
    report: Report,
) -> RestartResult:
    """New tasks, one component after the other, each waited for, and a probe.

    A component gets a new deployment, which starts and stops tasks as its service allows. Raises
    NotRunning; StoppedHalfway at the first that does not come back; Locked where another has taken
    the lock.
    """
    done: list[Restarted] = []
    with platform.lock("restart", report):
        _refuse_stopped(platform, environment)
        left = _in_order(platform, chosen)
        while left:
            platform.check_lock()
            began = time.monotonic()
            report(f"restart {left[0]}")
            try:
                platform.renew(left[0])
            except DeployError as error:
                raise _halfway(error, done, left) from error
            done.append(Restarted(left[0], round(time.monotonic() - began, 1)))
            report(f"{left.pop(0)} is back after {done[-1].seconds} s")
    result = prove(platform, environment, Proof(deadline), report)
    return RestartResult(
        environment=environment.name, restarted=done, status=platform.status(), probe=result
    )


def _halfway(error: DeployError, done: Sequence[Restarted], left: Sequence[str]) -> StoppedHalfway:
    lines = [
        error.message,
        error.cause,
        f"restarted: {', '.join(one.name for one in done) or 'none'}",
        f"not touched: {', '.join(left[1:]) or 'none'}",
    ]
    return StoppedHalfway(
        f"{left[0]} has not come back",
        cause="\n".join(lines),
        fix=f"{error.fix}; then, to go on: dsql-deploy restart ENV {' '.join(left)}",
    )


def down(
    platform: EcsPlatform, environment: Environment, ask: Ask, *, dry_run: bool, report: Report
) -> DownResult:
    """No tasks of any service, the last to be started first, each waited for; data stays.

    Production is confirmed by its name. Interrupted, it goes on when it is called again. Raises
    NotConfirmed, NotReady.
    """
    if dry_run or not _is_up(platform):
        found = Stopped(was_running=_is_up(platform))
        return DownResult(environment=environment.name, stopped=found, kept=[])
    if environment.name == PRODUCTION:
        ask(Question("stop every service of it: no workflow runs until `up`", (), typed=True))
    with platform.lock("down", report):
        return DownResult(environment=environment.name, stopped=platform.stop(grace=0), kept=[])


def _is_up(platform: EcsPlatform) -> bool:
    """Whether any task runs or is wanted: ECS may yet have to start it."""
    services = platform.seen().services.values()
    return platform.running() or any(one.desired for one in services)

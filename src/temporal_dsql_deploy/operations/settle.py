"""What a started cluster still needs to be usable: readiness, and its environment's namespaces."""

from dataclasses import replace

from temporalio.service import ServiceClient

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotReady, NotRunning
from temporal_dsql_deploy.operations import namespaces, readiness
from temporal_dsql_deploy.operations.namespaces import Have, Step
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.protocol import Change, Platform, Report
from temporal_dsql_deploy.platforms.temporal_api import CallFailed

READY_SECONDS = 60.0
"""How long a component may take to become ready."""
_POLL = 0.25


async def settle(platform: Platform, environment: Environment, report: Report) -> list[Change]:
    """Wait for the frontend, reconcile the namespaces, wait for the Web UI; what was changed.

    Raises StartFailed, NotReady, SettingRejected.
    """
    try:
        return await _settle(platform, environment, report)
    except NotRunning as error:
        raise platform.broken() or error from error


async def _settle(platform: Platform, environment: Environment, report: Report) -> list[Change]:
    await readiness.wait_for_frontend(platform, seconds=READY_SECONDS)
    report(f"frontend {platform.frontend()} is SERVING")
    client = await temporal_api.connect(platform.frontend())
    steps = await _steps_once_told(platform, client, environment)
    for step in steps:
        await namespaces.apply(client, step)
        report(str(step.change))
    names = {environment.probe_namespace, *environment.namespaces}
    await readiness.wait_for_namespaces(platform, names, seconds=READY_SECONDS)
    await readiness.wait_for_ui(platform, seconds=READY_SECONDS)
    report(f"Web UI {platform.pages()['ui']} answers")
    return [step.change for step in steps]


def make_namespace(platform: Platform, environment: Environment, name: str, report: Report) -> None:
    """Register a namespace where there is none of that name.

    Raises NotRunning, NotReady, SettingRejected.
    """
    wanted = replace(
        environment, namespaces={name: environment.namespaces.get(name)}, search_attributes={}
    )
    interrupts.run(_made(platform, wanted, report))


async def _made(platform: Platform, environment: Environment, report: Report) -> None:
    client = await temporal_api.connect(platform.frontend())
    for step in await _steps_once_told(platform, client, environment):
        await namespaces.apply(client, step)
        report(str(step.change))
    names = set(environment.namespaces)
    await readiness.wait_for_namespaces(platform, names, seconds=READY_SECONDS)


async def _steps_once_told(
    platform: Platform, client: ServiceClient, environment: Environment
) -> list[Step]:
    """A frontend that serves may yet have to find the database, if that was away until now."""
    steps: list[Step] = []
    refused: NotReady | None = None

    async def told() -> bool:
        nonlocal refused, steps
        try:
            steps = await _steps(client, environment)
        except NotReady as error:
            refused = error
            return False
        return True

    if not await readiness.until(told, platform, READY_SECONDS, every=_POLL) and refused:
        raise refused
    return steps


async def _steps(client: ServiceClient, environment: Environment) -> list[Step]:
    try:
        have = await namespaces.look(client, environment)
    except CallFailed as error:
        raise NotReady(
            "the frontend does not tell its namespaces",
            cause=str(error),
            fix="try again; the server's log: dsql-deploy logs ENV --level warn",
        ) from error
    return list(namespaces.steps(environment, have))


def plan(platform: Platform, environment: Environment) -> list[Change]:
    """What `settle` would change. Raises SettingRejected, NotReady."""
    try:
        steps = interrupts.run(_planned(platform.frontend(), environment))
    except NotRunning:
        # What a stopped cluster has is not known before it runs; a new one has `default` only.
        have = Have({"default": namespaces.DEFAULT_RETENTION}, {})
        steps = [] if platform.stored() else list(namespaces.steps(environment, have))
    return [step.change for step in steps]


async def _planned(address: str, environment: Environment) -> list[Step]:
    return await _steps(await temporal_api.connect(address), environment)

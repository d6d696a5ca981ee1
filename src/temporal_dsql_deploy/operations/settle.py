"""What a started cluster still needs to be usable: readiness, and its environment's namespaces."""

import asyncio

from temporalio.service import RPCError

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotReady, NotRunning
from temporal_dsql_deploy.operations import namespaces, readiness
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.protocol import Change, Platform, Report

READY_SECONDS = 60.0
"""How long a component may take to become ready."""


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
    try:
        changes = await _reconcile(platform, environment)
    except RPCError as error:
        raise NotReady(
            f"the frontend {platform.frontend()} does not tell its namespaces",
            cause=f"{error.status.name}: {error.message}",
            fix="try again; the server's log: dsql-deploy logs ENV --level warn",
        ) from error
    for change in changes:
        report(str(change))
    names = {environment.probe_namespace, *environment.namespaces}
    await readiness.wait_for_namespaces(platform, names, seconds=READY_SECONDS)
    await readiness.wait_for_ui(platform, seconds=READY_SECONDS)
    report(f"Web UI {platform.pages()['ui']} answers")
    return changes


async def _reconcile(platform: Platform, environment: Environment) -> list[Change]:
    client = await temporal_api.connect(platform.frontend())
    have = await namespaces.look(client, environment)
    changes = namespaces.differences(environment, have)
    if changes:
        await namespaces.apply(client, environment, have)
    return changes


def plan(platform: Platform, environment: Environment) -> list[Change]:
    """What `settle` would change. Raises SettingRejected."""
    try:
        return asyncio.run(_plan_namespaces(platform.frontend(), environment))
    except NotRunning:
        # What a stopped cluster has is not known before it runs; a new one has `default` only.
        if not platform.stored():
            have = namespaces.Have({"default": namespaces.DEFAULT_RETENTION}, {})
            return namespaces.differences(environment, have)
        return []


async def _plan_namespaces(address: str, environment: Environment) -> list[Change]:
    client = await temporal_api.connect(address)
    return namespaces.differences(environment, await namespaces.look(client, environment))

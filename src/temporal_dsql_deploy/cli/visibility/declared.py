"""The options of `visibility`'s verbs, and what they ask for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import InvalidSetting, NotForPlatform, NotRunning

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.visibility.result import Request
    from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
    from temporal_dsql_deploy.visibility.domain import Domain

Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        envvar="DSQL_DEPLOY_OPENSEARCH",
        help="OpenSearch domain: https://HOST [the domain of ENV, of its Terraform's outputs].",
    ),
]
Index = Annotated[
    str | None,
    typer.Option("--index", metavar="NAME", help="Another index than the one of ENV."),
]
Schema = Annotated[
    Path | None,
    typer.Option(
        "--schema",
        metavar="FOLDER",
        envvar="DSQL_DEPLOY_VISIBILITY_SCHEMA",
        help="Of another server: schema/elasticsearch/visibility of its source tree [1.32.2].",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        min=0,
        metavar="SECONDS",
        callback=options.finite,
        help="How long OpenSearch may take to be green or yellow.",
    ),
]
WAIT = 300.0
"""As operations.visibility.ready.WAIT, which is not imported for --help; a test compares."""
AS_TASK = "--as-task"
TASK_STARTS = 600.0
"""Seconds that a task may have beside: to be started, and to do its work."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options that say which index, and what it should be."""

    endpoint: str | None
    index: str | None
    schema: Path | None
    file: Path | None
    data_dir: Path | None
    terraform: Path | None
    provider_mirror: Path | None

    def beside(self) -> dict[str, str]:
        """Those that it takes to name the same index again."""
        given = {"--endpoint": self.endpoint, "--index": self.index, "--schema": self.schema}
        return {option: str(value) for option, value in given.items() if value is not None}


def request(environment: str, given: Given) -> "Request":
    """What is asked for.

    Raises InvalidSetting, UnknownEnvironment, NotForPlatform, NotRunning, NotApplied, and what
    Terraform and AWS raise.
    """
    from temporal_dsql_deploy.environments.find import find
    from temporal_dsql_deploy.visibility import expected

    options.address(environment, file=given.file, data_dir=given.data_dir)
    terminal.beside["visibility"] = given.beside()
    terminal.alone.add(AS_TASK)
    found = find(environment, file=given.file)
    _refuse_sql(found)
    wanted = expected.read(given.schema) if given.schema else expected.packaged()
    domain, index = _on_ecs(found, given) if found.platform == "ecs" else _here(found, given)
    from temporal_dsql_deploy.operations.visibility.result import Request

    return Request(
        environment=environment,
        domain=domain,
        index=_checked(index),
        expected=wanted,
        movable=found.platform == "ecs",
    )


def deployed(environment: str, given: Given) -> "Deployed":
    """What stands of an environment whose task is to be run. Raises as options.deployed does."""
    for option in given.beside():
        raise InvalidSetting(
            f"{option} does not go with {AS_TASK}",
            cause="the task has its domain and its index from the Terraform, and the template from "
            "the server's own tool in its image",
            fix=f"leave {option} out, or leave {AS_TASK} out",
        )
    return options.deployed(environment, given.file, given.terraform, given.provider_mirror)


def _refuse_sql(found: "Environment") -> None:
    if found.platform == "local":
        raise NotForPlatform(
            f"environment {found.name} has no OpenSearch",
            cause="the embedded server lists workflows from SQLite, where it makes its own tables",
            fix="name one with OpenSearch: an environment on ECS, or cluster after dsql-deploy up "
            "cluster --visibility opensearch",
        )


def _on_ecs(found: "Environment", given: Given) -> "tuple[Domain, str]":
    from temporal_dsql_deploy import aws
    from temporal_dsql_deploy.visibility import domain

    if given.endpoint is None:
        stands = options.deployed(found.name, given.file, given.terraform, given.provider_mirror)
        url = domain.parse(stands.output("opensearch_endpoint"))
        region: str | None = stands.region
        index = given.index or stands.output("opensearch_visibility_index")
    else:
        url = domain.parse(given.endpoint)
        region = domain.region_of(url) or aws.region()
        index = given.index
        if found.account is not None:
            aws.check_account(found.name, found.account)
    if index is None or region is None:
        lacking = "--index" if index is None else "the region"
        raise InvalidSetting(
            f"{lacking} is not known, with --endpoint {given.endpoint}",
            cause="only without --endpoint is it asked of the environment's Terraform",
            fix="give both: --index temporal_visibility_v1_…, and AWS_REGION where the host name "
            "does not tell it; or leave --endpoint out",
        )
    return domain.Domain(url, region, aws.credentials(domain.SIGNING)), index


def _here(found: "Environment", given: Given) -> "tuple[Domain, str]":
    if given.endpoint is not None:
        raise InvalidSetting(
            f"environment {found.name} has an OpenSearch of its own",
            cause=f"--endpoint (DSQL_DEPLOY_OPENSEARCH) is {given.endpoint}",
            fix="leave it out, or name an environment on ECS",
        )
    _, platform = options.choose(found.name, given.file, given.data_dir)
    from temporal_dsql_deploy.platforms.cluster import layout, opensearch
    from temporal_dsql_deploy.visibility.domain import Domain

    known = {one.component: one for one in platform.instances()}
    if layout.OPENSEARCH not in known:
        raise NotForPlatform(
            f"environment {found.name} lists its workflows from SQL, and has no OpenSearch",
            cause="that is the default of the platform cluster; its tables come with up",
            fix="compare the schema: dsql-deploy schema status ENV; a cluster with OpenSearch is a "
            "new one: dsql-deploy destroy ENV, then dsql-deploy up ENV --visibility opensearch",
        )
    if not known[layout.OPENSEARCH].running:
        raise NotRunning(
            f"the OpenSearch of environment {found.name} does not run",
            cause=known[layout.OPENSEARCH].note or "it was stopped",
            fix="start it: dsql-deploy up ENV",
        )
    return Domain(platform.pages()[layout.OPENSEARCH]), given.index or opensearch.INDEX


def _checked(index: str) -> str:
    """Raises InvalidSetting for what no index can be called, and for what means several."""
    forbidden = set('\\/*?"<>| ,#:')
    if index != index.lower() or forbidden & set(index) or index[:1] in {"", "-", "_", "+", "."}:
        raise InvalidSetting(
            f"{index!r} is no name of an index",
            cause="lower-case letters, digits, hyphens and underscores make one, and it begins "
            "with a letter or digit",
            fix="name it as the server has it, such as --index temporal_visibility_v1_dev",
        )
    return index

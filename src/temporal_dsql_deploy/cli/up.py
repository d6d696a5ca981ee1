"""`dsql-deploy up ENV`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from temporal_dsql_deploy.cli import options, proved, staged
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import InvalidSetting

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.up import UpResult

EXAMPLE = "dsql-deploy up local --port 7300 --namespace orders"


def up(
    environment: options.EnvironmentName = "local",
    port: Annotated[
        int | None, typer.Option(help="gRPC of the frontend [7233].", min=1, max=65535)
    ] = None,
    ui_port: Annotated[
        int | None,
        typer.Option(help="Web UI [frontend + 1000; 8080 with cluster].", min=1, max=65535),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Prometheus page [9090].", min=1, max=65535)
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(help="HTTP API [7243].", min=1, max=65535)
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="A namespace that must exist; may be repeated.")
    ] = None,
    search_attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TYPE", help="A custom search attribute; may be repeated."),
    ] = None,
    dynamic_config_value: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=JSON", help="A dynamic config value; may be repeated."),
    ] = None,
    temporal_binary: Annotated[
        Path | None,
        typer.Option(
            envvar="DSQL_DEPLOY_TEMPORAL_BINARY",
            help="Temporal CLI to run [the one on PATH, else the packaged one]; with local.",
        ),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="Run as processes or by docker [processes]; with cluster."
        ),
    ] = None,
    temporal_server: Annotated[
        Path | None,
        typer.Option(
            envvar="DSQL_DEPLOY_TEMPORAL_SERVER",
            help="temporal-server to run [the one on PATH, else one is built]; with cluster.",
        ),
    ] = None,
    postgresql: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            envvar="DSQL_DEPLOY_POSTGRESQL",
            help="PostgreSQL's programs [those of this machine]; with cluster.",
        ),
    ] = None,
    visibility: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="Visibility store: sql or opensearch [sql]; with cluster."
        ),
    ] = None,
    opensearch: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            envvar="DSQL_DEPLOY_OPENSEARCH",
            help="OpenSearch to run [one is downloaded]; with cluster.",
        ),
    ] = None,
    replicas: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=N", help="Instances of a role [1]; may be repeated; with cluster."
        ),
    ] = None,
    shards: Annotated[
        int | None, typer.Option(help="History shards [64]; with cluster.", min=1, max=16384)
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Begin with this step; on ECS.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="STEP", help="Run this step alone; on ECS.")
    ] = None,
    wait: options.StepWait = None,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    deadline: options.Deadline = options.DEADLINE,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Start the cluster, or change what differs in it, and prove it with a probe.

    What neither an option nor the environment's file speaks of is left as it runs. When the probe
    fails the cluster is left standing, and the exit code is 1. On ECS it goes by steps: account,
    state, secret, images, check, plan, apply, hosts, schema, visibility, services, clients, probe.
    """
    named = options.named(environment, file)
    if named.platform == "ecs":
        staged.refuse_given(
            named,
            {
                "--port": port,
                "--ui-port": ui_port,
                "--metrics-port": metrics_port,
                "--http-port": http_port,
                "--namespace": namespace,
                "--search-attribute": search_attribute,
                "--dynamic-config-value": dynamic_config_value,
                "--runtime": runtime,
                "--visibility": visibility,
                "--replicas": replicas,
                "--shards": shards,
                "--data-dir": data_dir,
            },
        )
        from temporal_dsql_deploy.cli import up_on_ecs

        up_on_ecs.up(
            named,
            staged.Given(
                environment, yes, confirm, var_file or [], terraform, provider_mirror, wait, dry_run
            ),
            first=first,
            only=only,
            deadline=deadline,
            direct=direct,
            as_json=as_json,
        )
        return
    staged.refuse_given(
        named,
        {
            "--from": first,
            "--only": only,
            "--wait": wait,
            "--yes": yes,
            "--confirm": confirm,
            "--var-file": var_file,
            "--direct": direct,
        },
    )
    chosen, platform = options.choose(
        environment,
        file,
        data_dir,
        temporal_binary=temporal_binary,
        temporal_server=temporal_server,
        postgresql=postgresql,
        opensearch=opensearch,
        runtime=_runtime(runtime),
        visibility=_visibility(visibility),
        replicas=options.replicas(replicas or [], option="--replicas"),
        history_shards=shards,
        ports={"frontend": port, "ui": ui_port, "metrics": metrics_port, "http": http_port},
        namespaces=namespace,
        search_attributes=options.pairs(
            "--search-attribute",
            search_attribute or [],
            example="--search-attribute CustomerId=Keyword",
        ),
        dynamic_config_values=_values(dynamic_config_value or []),
    )
    from temporal_dsql_deploy.operations import up as operation

    if dry_run:
        plan = operation.plan(platform, chosen)
        proved.tell_plan(plan, as_json=as_json)
        return
    result = operation.up(platform, chosen, deadline=deadline, report=terminal.progress)
    for warning in result.warnings:
        terminal.warning(warning)
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.probe.ok:
        raise typer.Exit(1)


def _show(result: "UpResult") -> None:
    name = result.environment
    done = ", ".join(f"{change.action} {change.what}" for change in result.changes)
    headline = f"{name}: {done or 'already running, nothing to change'}"
    proved.show(["", headline, ""], result.status, result.probe)
    steps = [
        "dsql-deploy open ENV ui",
        "dsql-deploy status ENV",
        "dsql-deploy logs ENV --follow",
        "dsql-deploy down ENV",
    ]
    terminal.text("", "Next:", *(f"  {terminal.spelled(step)}" for step in steps))


def _runtime(kind: str | None) -> str | None:
    from temporal_dsql_deploy.environments.model import Runtime

    if kind is not None:
        options.one_of("runtime", kind, get_args(Runtime))
    return kind


def _visibility(store: str | None) -> str | None:
    from temporal_dsql_deploy.environments.model import VisibilityStore

    if store is not None:
        options.one_of("visibility store", store, get_args(VisibilityStore))
    return store


def _values(texts: list[str]) -> dict[str, Any]:
    values = {}
    for key, text in options.pairs(
        "--dynamic-config-value", texts, example="--dynamic-config-value limit.maxIDLength=255"
    ).items():
        try:
            values[key] = json.loads(text)
        except ValueError as error:
            raise InvalidSetting(
                f"the dynamic config value of {key} is not JSON",
                cause=f"{text!r}: {error}",
                fix=f"a text needs quotes of its own: --dynamic-config-value '{key}=\"text\"'",
            ) from error
    return values

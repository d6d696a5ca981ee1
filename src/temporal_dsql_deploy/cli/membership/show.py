"""`dsql-deploy membership show ENV`."""

from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from temporal_dsql_deploy.operations.membership.result import Look
    from temporal_dsql_deploy.platforms.protocol import Platform

EXAMPLE = "dsql-deploy membership show cluster"


def show(
    environment: options.EnvironmentName,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Show the rows of cluster_membership, and the ring as each member sees it."""
    _, platform = options.choose(environment, file, data_dir, direct=direct)
    seen = _seen(platform, environment)
    if as_json:
        terminal.result(seen)
        return
    terminal.render(_rows(seen))
    terminal.text("")
    terminal.render(_ring(seen))
    if seen.database_error:
        terminal.warning(seen.database_error)


def _seen(platform: "Platform", environment: str) -> "Look":
    if found := options.outside(platform):
        from temporal_dsql_deploy.operations.membership.result import Look
        from temporal_dsql_deploy.operations.on_ecs import inside

        command = ["membership", "show", environment]
        return inside.run(found.deployed, found.clients, command, Look, terminal.progress)
    from temporal_dsql_deploy.operations.membership.look import look

    return look(platform, environment, report=terminal.progress)


def _rows(seen: "Look") -> "RenderableType":
    def listens(address: str) -> str:
        port = seen.port(address)
        return "yes" if port and port.listens else "no"

    rows = [
        (
            row.role,
            row.address,
            f"{row.age:.0f} s ago",
            listens(row.address),
            f"{row.started.astimezone():%Y-%m-%d %H:%M:%S}",
            row.host_id,
        )
        for row in seen.rows
    ]
    return table(["row", "membership", "heartbeat", "listens", "started", "host id"], rows)


def _ring(seen: "Look") -> "RenderableType":
    """Each member, and how many of those that show their ring hold it reachable."""
    views = sum(port.seen is not None for port in seen.ports)

    def held(address: str) -> str:
        port = seen.port(address)
        itself = port is not None and port.own is not None and port.own.reachable
        return f"{len(seen.holders(address)) + itself} of {views}"

    rows = [
        (
            one.role,
            address,
            one.grpc,
            held(address),
            "" if seen.shards is None else seen.shards.get(one.grpc, ""),
        )
        for address, one in sorted(seen.members().items())
    ]
    rows += [
        (port.error, port.address, "", "", "")
        for port in seen.ports
        if port.listens and port.address not in seen.members()
    ]
    return table(["member", "membership", "gRPC", "held reachable by", "shards"], rows)

"""`dsql-deploy lock show ENV`."""

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal

EXAMPLE = "dsql-deploy lock show dev"


def show(
    environment: options.EnvironmentOnEcs,
    file: options.File = None,
    as_json: options.Json = False,
) -> None:
    """Say who changes the environment, since when and with which verb."""
    from temporal_dsql_deploy.operations import lock as operation

    found = operation.show(options.named(environment, file))
    if as_json:
        terminal.result(found)
    elif not found.locked:
        terminal.text(f"{environment}: nobody changes it")
    else:
        terminal.text(
            f"{environment}: dsql-deploy {found.verb} by {found.who}, since {found.since}",
            f"{found.place} holds until {found.expires} unless it is renewed",
        )

"""`dsql-deploy secret show ENV`."""

import sys
from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.secret import declared
from temporal_dsql_deploy.errors import RefusedError

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.secret.administrator import Administrator
    from temporal_dsql_deploy.operations.secret.place import Place

EXAMPLE = "dsql-deploy secret show dev"


def show(
    environment: options.EnvironmentOnEcs,
    name: declared.Name = None,
    region: declared.Region = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    file: options.File = None,
    as_json: options.Json = False,
) -> None:
    """Show user and password of Grafana's administrator, on a terminal and nowhere else.

    With --json: name, ARN, key and versions, and nothing of the password.
    """
    from temporal_dsql_deploy.operations.secret import run

    if not as_json and not sys.stdout.isatty():
        declared.address(environment, file, name=name, region=region)
        raise RefusedError(
            "a password is shown on a terminal only",
            cause="the output goes into a pipe or a file, where it would stay",
            fix="run it on a terminal; for all but the password: dsql-deploy secret show ENV "
            "--json; a program reads it by itself: aws secretsmanager get-secret-value",
        )
    store = declared.store(
        environment, file, terraform, name=name, region=region, var_file=var_file
    )
    if as_json:
        terminal.result(run.metadata(store))
        return
    _show(store.place, run.show(store))


def _show(place: "Place", administrator: "Administrator") -> None:
    terminal.text(f"secret {place.name} in {place.region}")
    terminal.text(f"user      {_printable(administrator.user)}")
    terminal.text(f"password  {_printable(administrator.password)}")
    for note in place.notes:
        terminal.warning(note)


def _printable(text: str) -> str:
    """As it is; what would steer the terminal is escaped."""
    return text if text.isprintable() else repr(text)

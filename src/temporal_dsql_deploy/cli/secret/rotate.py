"""`dsql-deploy secret rotate ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.secret import declared
from temporal_dsql_deploy.errors import NotConfirmed

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.secret.place import Place

EXAMPLE = "dsql-deploy secret rotate dev --yes"


def rotate(
    environment: options.EnvironmentOnEcs,
    user: Annotated[
        str | None, typer.Option("--user", help="Name of the administrator [the one it has].")
    ] = None,
    password_from_stdin: declared.PasswordFromStdin = False,
    name: declared.Name = None,
    region: declared.Region = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    file: options.File = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Give Grafana's administrator a new password. Asks first.

    The version before stays in Secrets Manager as AWSPREVIOUS. Grafana reads the secret when its
    task starts, so it goes on with the old one until it is started anew.
    """
    from temporal_dsql_deploy.operations.secret import run

    store = declared.store(
        environment, file, terraform, name=name, region=region, var_file=var_file
    )
    asked = declared.wanted(user, from_stdin=password_from_stdin)
    plan = run.rotate(store, asked, dry_run=True)
    if dry_run:
        declared.tell(plan, "would rotate", as_json=as_json)
        return
    if not yes:
        _confirm(store.place)
    result = run.rotate(store, asked, dry_run=False)
    if result.action == "keep":
        declared.tell(result, "nothing to do, it has this password:", as_json=as_json)
        return
    declared.tell(result, "rotated", as_json=as_json)
    if not as_json:
        terminal.text(
            f"Grafana takes it when its task starts anew: {result.restart}",
            "A Grafana whose database outlives its tasks keeps the old password there, and takes a "
            "new one by: grafana cli admin reset-admin-password --password-from-stdin",
        )


def _confirm(place: "Place") -> None:
    if not terminal.interactive():
        raise NotConfirmed(
            f"secret {place.name} is not rotated without a confirmation",
            cause="there is no terminal to ask on",
            fix="say that you are sure: dsql-deploy secret rotate ENV --yes",
        )
    question = (
        f"This gives the administrator of Grafana in {place.environment} another password, in "
        f"secret {place.name} in {place.region}."
    )
    if not terminal.confirm(question, "Rotate it?"):
        raise NotConfirmed(
            f"secret {place.name} is not rotated",
            cause="the question was answered with no",
            fix="to see what would be done: dsql-deploy secret rotate ENV --dry-run",
        )

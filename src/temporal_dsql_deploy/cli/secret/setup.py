"""`dsql-deploy secret setup ENV`."""

from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.secret import declared

EXAMPLE = "dsql-deploy secret setup dev"


def setup(
    environment: options.EnvironmentOnEcs,
    user: Annotated[
        str | None, typer.Option("--user", help="Name of the administrator [admin].")
    ] = None,
    password_from_stdin: declared.PasswordFromStdin = False,
    name: declared.Name = None,
    region: declared.Region = None,
    kms_key: Annotated[
        str | None,
        typer.Option(
            "--kms-key",
            metavar="KEY",
            help="ARN, id or alias of the key that encrypts it "
            "[kms_key_arn of ENV's Terraform, or AWS's own].",
        ),
    ] = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    file: options.File = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Make Grafana's administrator, before the first apply: Terraform only reads it.

    One that is there and can be used stays as it is. The password is generated, and shown by
    `secret show` alone.
    """
    from temporal_dsql_deploy.operations.secret import run

    store = declared.store(
        environment,
        file,
        terraform,
        name=name,
        region=region,
        var_file=var_file,
        kms_key=kms_key,
    )
    asked = declared.wanted(user, from_stdin=password_from_stdin)
    result = run.setup(store, asked, dry_run=dry_run)
    made = "would make" if dry_run else "made"
    kept = "nothing to do: there is"
    declared.tell(result, made if result.action == "create" else kept, as_json=as_json)
    if result.action == "create" and not (dry_run or as_json):
        terminal.text(terminal.spelled("to see the password: dsql-deploy secret show ENV"))

"""`dsql-deploy visibility status ENV`."""

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.visibility import declared, show

EXAMPLE = "dsql-deploy visibility status dev"


def status(
    environment: options.EnvironmentName,
    endpoint: declared.Endpoint = None,
    index: declared.Index = None,
    schema: declared.Schema = None,
    file: options.File = None,
    data_dir: options.DataDir = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    as_json: options.Json = False,
) -> None:
    """Compare the index, its template and its settings with what the server expects, by field.

    Exit code 1: something is not as expected; what it is and what to do is said.
    """
    given = declared.Given(endpoint, index, schema, file, data_dir, terraform, provider_mirror)
    request = declared.request(environment, given)
    from temporal_dsql_deploy.operations.visibility import setup as operation

    found = operation.look(request)
    if as_json:
        terminal.result(found)
    else:
        show.status(found)
    if not found.ok:
        raise typer.Exit(1)

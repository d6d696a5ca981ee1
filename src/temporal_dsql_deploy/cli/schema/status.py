"""`dsql-deploy schema status ENV`."""

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.schema import as_task as task
from temporal_dsql_deploy.cli.schema import declared

EXAMPLE = "dsql-deploy schema status dev --schema schema/dsql/temporal"


def status(
    environment: options.EnvironmentName,
    schema: declared.Folder = None,
    version: declared.Version = None,
    store: declared.Store = "default",
    endpoint: declared.Endpoint = None,
    user: declared.User = declared.ADMIN,
    certificates: declared.Certificates = None,
    as_task: declared.AsTask = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    as_json: options.Json = False,
) -> None:
    """Compare a database with a folder of versions; exit code 1 where it lacks something."""
    asked = declared.Asked(
        environment=environment,
        schema=schema,
        version=version,
        store=store,
        endpoint=endpoint,
        user=user,
        certificates=certificates,
        file=file,
        data_dir=data_dir,
        terraform=terraform,
        provider_mirror=provider_mirror,
    )
    if as_task:
        task.run("status", asked, as_json=as_json)
        return
    request = declared.request(asked)
    from temporal_dsql_deploy.operations import schema as operation

    found = operation.look(request)
    declared.tell(found, as_json=as_json)
    if not found.ok:
        raise typer.Exit(1)

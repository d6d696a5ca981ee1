"""`dsql-deploy schema status ENV`."""

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.schema import declared

EXAMPLE = "dsql-deploy schema status dev --endpoint ID.dsql.REGION.on.aws --schema FOLDER"


def status(
    environment: options.EnvironmentName,
    schema: declared.Folder,
    version: declared.Version = None,
    endpoint: declared.Endpoint = None,
    user: declared.User = declared.ADMIN,
    certificates: declared.Certificates = None,
    as_json: options.Json = False,
) -> None:
    """Compare a database with a folder of versions; exit code 1 where it lacks something."""
    request = declared.request(environment, schema, version, endpoint, user, certificates)
    from temporal_dsql_deploy.operations import schema as operation

    found = operation.look(request)
    declared.tell(found, as_json=as_json)
    if not found.ok:
        raise typer.Exit(1)

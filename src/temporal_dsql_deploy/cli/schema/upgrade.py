"""`dsql-deploy schema upgrade ENV`."""

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.schema import declared

EXAMPLE = "dsql-deploy schema upgrade dev --endpoint ID.dsql.REGION.on.aws --schema FOLDER"


def upgrade(
    environment: options.EnvironmentName,
    schema: declared.Folder,
    version: declared.Version = None,
    endpoint: declared.Endpoint = None,
    user: declared.User = declared.ADMIN,
    certificates: declared.Certificates = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Apply the versions above the one that the database has; one without a schema is refused.

    Run it before servers that need the new version are started. Interrupted at any statement it
    goes on where it stopped when it is run again; on Aurora DSQL run one at a time.
    """
    request = declared.request(environment, schema, version, endpoint, user, certificates)
    from temporal_dsql_deploy.operations import schema as operation

    if dry_run:
        declared.tell_plan(operation.plan(request, only_upgrade=True), as_json=as_json)
        return
    declared.tell(operation.upgrade(request, terminal.progress), as_json=as_json)

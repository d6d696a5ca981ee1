"""`dsql-deploy schema upgrade ENV`."""

from temporal_dsql_deploy.cli import options
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
    declared.bring(request, only_upgrade=True, dry_run=dry_run, as_json=as_json)

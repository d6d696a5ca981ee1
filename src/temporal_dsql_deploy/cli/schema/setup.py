"""`dsql-deploy schema setup ENV`."""

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.schema import declared

EXAMPLE = "dsql-deploy schema setup dev --endpoint ID.dsql.REGION.on.aws --schema FOLDER"


def setup(
    environment: options.EnvironmentName,
    schema: declared.Folder,
    version: declared.Version = None,
    endpoint: declared.Endpoint = None,
    user: declared.User = declared.ADMIN,
    certificates: declared.Certificates = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Apply every version that the database has not, from an empty one on.

    Interrupted at any statement it goes on where it stopped when it is run again. On Aurora DSQL
    each statement is a transaction, and indexes are waited for; run one at a time there.
    """
    request = declared.request(environment, schema, version, endpoint, user, certificates)
    declared.bring(request, only_upgrade=False, dry_run=dry_run, as_json=as_json)

"""`dsql-deploy schema upgrade ENV`."""

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.schema import as_task as task
from temporal_dsql_deploy.cli.schema import declared

EXAMPLE = "dsql-deploy schema upgrade dev --schema schema/dsql/temporal"


def upgrade(
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
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Apply the versions above the one that the database has; one without a schema is refused.

    Run it before servers that need the new version are started. Interrupted at any statement it
    goes on where it stopped when it is run again. Of two at once the second waits.
    """
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
        task.run("upgrade", asked, dry_run=dry_run, as_json=as_json)
        return
    request = declared.request(asked)
    declared.bring(request, only_upgrade=True, dry_run=dry_run, as_json=as_json)

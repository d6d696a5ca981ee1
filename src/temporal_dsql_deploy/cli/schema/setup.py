"""`dsql-deploy schema setup ENV`."""

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.schema import as_task as task
from temporal_dsql_deploy.cli.schema import declared
from temporal_dsql_deploy.cli.schema import overwrite as overwriting

EXAMPLE = "dsql-deploy schema setup dev --schema schema/dsql/temporal"


def setup(
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
    overwrite: declared.Overwrite = False,
    confirm: declared.Confirm = None,
    force: declared.Force = False,
    with_tool: declared.WithTool = False,
    tool: declared.Tool = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Apply every version that the database has not, from an empty one on.

    Interrupted at any statement it goes on where it stopped when it is run again. On Aurora DSQL
    each statement is a transaction, and indexes are waited for. Of two at once the second waits.
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
    declared.refuse_together(with_tool=with_tool, tool=tool, overwrite=overwrite)
    if not overwrite:
        overwriting.refuse_alone(confirm, force=force)
    if as_task:
        task.run(
            "setup",
            asked,
            _again(overwrite, confirm, force, with_tool),
            dry_run=dry_run,
            as_json=as_json,
        )
        return
    request = declared.request(asked)
    if overwrite:
        how = overwriting.Overwriting(confirm, force, dry_run, as_json)
        overwriting.overwrite(request, how)
        return
    if with_tool:
        declared.bring_with_tool(request, tool, dry_run=dry_run, as_json=as_json)
        return
    declared.bring(request, only_upgrade=False, dry_run=dry_run, as_json=as_json)


def _again(overwrite: bool, confirm: str | None, force: bool, with_tool: bool) -> list[str]:  # noqa: FBT001
    """The options as a task is given them, which has no terminal to ask on."""
    said = {"--overwrite": overwrite, "--force": force, "--with-tool": with_tool}
    confirmed = [] if confirm is None else ["--confirm", confirm]
    return [*(option for option, is_given in said.items() if is_given), *confirmed]

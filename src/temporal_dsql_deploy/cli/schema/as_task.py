"""`schema … --as-task`: the same verb inside the VPC."""

from collections.abc import Sequence

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.schema import overwrite
from temporal_dsql_deploy.cli.schema.declared import ADMIN, Asked
from temporal_dsql_deploy.errors import InvalidSetting


def run(
    verb: str, asked: Asked, more: Sequence[str] = (), *, dry_run: bool = False, as_json: bool
) -> None:
    """Run the verb as a task, or with `dry_run` print the call. The task brings its schema itself.

    Raises InvalidSetting, NotApplied, Protected, TaskFailed, and what Terraform and AWS raise.
    """
    _refuse(asked)
    found = options.deployed(asked.environment, asked.file, asked.terraform, asked.provider_mirror)
    from temporal_dsql_deploy.operations import schema_task as operation

    if "--overwrite" in more:
        given = more[-1] if "--confirm" in more else None
        is_forced = "--force" in more
        overwrite.refuse_protected(asked.environment, asked.protected(found), force=is_forced)
        if not dry_run:
            overwrite.refuse_unconfirmed(asked.environment, given)
    version = ["--version", asked.version] if asked.version else []
    command = ["schema", verb, asked.environment, *version, *more]
    if dry_run:
        planned = operation.plan(found, command)
        if as_json:
            terminal.result(planned)
        else:
            terminal.text(planned.call)
        return
    done = operation.run(found, command, terminal.progress)
    if as_json:
        terminal.result(done)
    else:
        terminal.text(f"task {done.task} has ended with exit code {done.exit_code}")


def _refuse(asked: Asked) -> None:
    given = {
        "--endpoint (CLUSTER_ENDPOINT)": asked.endpoint,
        "--certificates": asked.certificates,
        "--store visibility": asked.store != "default",
        "--user": asked.user != ADMIN,
    }
    for option, is_given in given.items():
        if is_given:
            raise InvalidSetting(
                f"{option} does not go with --as-task",
                cause="the task knows its own cluster, certificates and schema",
                fix="leave one of the two out",
            )

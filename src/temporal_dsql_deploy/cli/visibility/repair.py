"""`dsql-deploy visibility repair ENV`."""

from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.visibility import declared, show
from temporal_dsql_deploy.errors import NotConfirmed

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.visibility.repair import Outlook

EXAMPLE = "dsql-deploy visibility repair dev --dry-run"


def repair(
    environment: options.EnvironmentName,
    endpoint: declared.Endpoint = None,
    index: declared.Index = None,
    schema: declared.Schema = None,
    wait: declared.Wait = declared.WAIT,
    file: options.File = None,
    data_dir: options.DataDir = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Add what the index lacks; make an empty one anew (asks); else tell how to a new index.

    An index with documents is never deleted: the way to a new one is printed call by call, and
    the exit code is 1.
    """
    given = declared.Given(endpoint, index, schema, file, data_dir, terraform, provider_mirror)
    request = declared.request(environment, given)
    from temporal_dsql_deploy.operations.visibility import ready
    from temporal_dsql_deploy.operations.visibility import repair as operation

    if dry_run:
        would = operation.outlook(request)
        show.plan(would.plan(request), as_json=as_json)
        if would.steps:
            raise typer.Exit(1)
        return
    # A domain that is busy tells nothing, and a red one hides what can be mended.
    ready.until_ready(request.domain, terminal.progress, wait=wait)
    there = operation.outlook(request)
    if there.anew and not yes:
        _ask(request.index, there)
    done = operation.repair(request, there, terminal.progress)
    show.result(done, as_json=as_json)


def _ask(index: str, there: "Outlook") -> None:
    wrong = [f"  {show.sentence(one.finding)}" for one in there.faults]
    if not terminal.interactive():
        raise NotConfirmed(
            f"index {index} is not deleted and made again without a confirmation",
            cause="there is no terminal to ask on",
            fix="say that you are sure: dsql-deploy visibility repair ENV --yes",
        )
    question = f"Index {index} is empty, and cannot be mended as it is:"
    if not terminal.confirm(question, *wrong, "Delete it and make it again?"):
        raise NotConfirmed(
            f"index {index} stays as it is",
            cause="the question was answered with no",
            fix="what would be done: dsql-deploy visibility repair ENV --dry-run",
        )

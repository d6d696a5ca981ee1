"""`dsql-deploy lock release ENV`."""

from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import NotConfirmed

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.lock import LockStatus

EXAMPLE = "dsql-deploy lock release dev"


def release(
    environment: options.EnvironmentOnEcs,
    yes: options.Yes = False,
    file: options.File = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Release a lock that a command has left which runs no more. Asks first.

    It expires by itself two minutes after its command has ended. Whoever still works loses it, and
    stops before the next step.
    """
    from temporal_dsql_deploy.operations import lock as operation

    named = options.named(environment, file)
    agreed = None if yes or dry_run else _ask(named)
    found = operation.release(named, dry_run=dry_run, agreed=agreed)
    if as_json:
        terminal.result(found)
    elif found.released:
        terminal.text(f"{environment}: released, it was that of {found.who}")
    elif found.locked:
        terminal.text(f"{environment}: would be released, it is that of {found.who}")
    else:
        terminal.text(f"{environment}: nobody has it, nothing to do")


def _ask(environment: "Environment") -> "LockStatus":
    """What was agreed to."""
    from temporal_dsql_deploy.operations import lock as operation

    found = operation.show(environment)
    if not found.locked:
        return found
    if not terminal.interactive():
        raise NotConfirmed(
            f"the lock of {environment.name} is not released without a confirmation",
            cause=f"{found.who} may be at work, and there is no terminal to ask on",
            fix="see that it runs no more, then: dsql-deploy lock release ENV --yes",
        )
    said = f"dsql-deploy {found.verb} by {found.who}, since {found.since}, has the lock."
    if not terminal.confirm(said, "Does it run no more, and is the lock to be released?"):
        raise NotConfirmed(
            f"the lock of {environment.name} is not released",
            cause="the question was answered with no",
            fix="it expires by itself: dsql-deploy lock show ENV says when",
        )
    return found

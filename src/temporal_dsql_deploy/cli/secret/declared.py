"""The options of `secret`'s verbs, and what they ask for."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import InvalidSetting

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.secret.run import SecretResult, Wanted
    from temporal_dsql_deploy.operations.secret.store import Store

_LONGEST_LINE = 10_000
"""Characters of stdin that are looked at: what is longer is no password, but another file."""

Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="Name of the secret [what Terraform reads: PROJECT_NAME/grafana/admin].",
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", help="AWS region [that of ENV's Terraform variables]."),
]
PasswordFromStdin = Annotated[
    bool,
    typer.Option(
        "--password-from-stdin",
        help="Take the password from stdin, asked for without echo on a terminal "
        "[a new one is generated].",
    ),
]


def store(
    environment: str,
    file: Path | None,
    terraform: Path | None,
    *,
    name: str | None,
    region: str | None,
    var_file: list[Path] | None,
    kms_key: str | None = None,
) -> "Store":
    """Where the secret of the environment is.

    Raises UnknownEnvironment, InvalidSetting, and what `operations.secret.place.find` does.
    """
    from temporal_dsql_deploy.environments.find import find
    from temporal_dsql_deploy.operations.secret import place as places
    from temporal_dsql_deploy.operations.secret.store import Store

    address(environment, file, name=name, region=region)
    how = places.How(
        region=region,
        name=name,
        kms_key=kms_key,
        var_files=var_file or (),
        terraform=terraform,
    )
    return Store.of(places.find(find(environment, file=file), how))


def address(environment: str, file: Path | None, *, name: str | None, region: str | None) -> None:
    """Tell the terminal how the user has to name this secret again."""
    options.address(environment, file=file)
    places = (("--name", name), ("--region", region))
    again = shlex.join(part for option, word in places if word for part in (option, word))
    terminal.address = f"{terminal.address} {again}".strip()


def wanted(user: str | None, *, from_stdin: bool) -> "Wanted":
    """The administrator that is asked for; a password is read when it is needed."""
    from temporal_dsql_deploy.operations.secret.run import Wanted

    return Wanted(user, _ask if from_stdin else None)


def _ask() -> str:
    try:
        return _typed() if sys.stdin.isatty() else _piped()
    except (EOFError, UnicodeDecodeError) as error:
        # The error itself may repeat what was given.
        raise InvalidSetting(
            "no password was given",
            cause="stdin ended before one" if isinstance(error, EOFError) else "it is no UTF-8",
            fix="try again; without --password-from-stdin one is generated",
        ) from None


def _piped() -> str:
    line = sys.stdin.readline(_LONGEST_LINE)
    return line.removesuffix("\n").removesuffix("\r")


def _typed() -> str:
    import getpass

    given = getpass.getpass("New password: ", stream=sys.stderr)
    if getpass.getpass("Once more: ", stream=sys.stderr) != given:
        raise InvalidSetting(
            "the two passwords differ", cause="they were typed differently", fix="try again"
        )
    return given


def tell(result: "SecretResult", done: str, *, as_json: bool) -> None:
    """What became of the secret, and what is to be done."""
    if as_json:
        terminal.result(result)
        return
    key = f", under the key {result.kms_key}" if result.kms_key else ""
    terminal.text(
        f"{done} secret {result.name} in {result.region}: administrator {result.user}{key}"
    )
    if result.action == "rotate" and not result.dry_run:
        terminal.text(f"current is version {result.version}, {result.previous} is kept as before")
    for note in result.notes:
        terminal.warning(note)

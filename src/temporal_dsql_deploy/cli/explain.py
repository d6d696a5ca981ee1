"""`dsql-deploy explain CODE`."""

import textwrap
from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal

EXAMPLE = "dsql-deploy explain reach-needed"
_WIDTH = 100


def _complete(incomplete: str) -> list[str]:
    from temporal_dsql_deploy.operations.explain import codes

    return [code for code in codes() if code.startswith(incomplete)]


def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            help="A rule or family of `check`, a finding, or the code in brackets of an error.",
            autocompletion=_complete,
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Say what a code means, what is seen where it shows, and what to do."""
    from temporal_dsql_deploy.operations import explain as operation

    result = operation.explain(code)
    if as_json:
        terminal.result(result)
        return
    exits = f", exit code {result.exit_code}" if result.exit_code is not None else ""
    terminal.text(f"{result.code} ({result.kind}{exits})", "", *_wrapped(result.text))
    parts = (
        ("Rules", ", ".join(result.rules)),
        ("Otherwise", result.symptom),
        ("What to do", result.fix),
        ("In place of the letter of the requirement", result.meaning),
        ("Requirements", ", ".join(result.seeds)),
        ("Source", result.source),
    )
    for title, text in parts:
        if text:
            terminal.text("", f"{title}:", *(f"  {line}" for line in _wrapped(text)))


def _wrapped(text: str) -> list[str]:
    width = _WIDTH - 2
    lines = (textwrap.wrap(line, width, break_long_words=False) for line in text.splitlines())
    return [part for line in lines for part in line or [""]]

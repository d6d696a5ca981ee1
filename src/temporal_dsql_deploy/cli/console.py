"""All output: results on stdout, progress and errors on stderr; plain without a terminal."""

import contextlib
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from temporal_dsql_deploy.errors import DeployError
    from temporal_dsql_deploy.platforms.protocol import Result

COMMAND = "dsql-deploy"
_INSIDE = "DSQL_DEPLOY_OUTPUTS"
"""As platforms.ecs.carried.VARIABLE: this is a task, whose output CloudWatch takes."""
_BEGAN = time.monotonic()
_NO_TERMINAL_WIDTH = 10_000
_STYLES = {
    "SERVING": "green",
    "OK": "green",
    "STARTING": "yellow",
    "WARN": "yellow",
    "NOT_SERVING": "red",
    "UNREACHABLE": "red",
    "FAILED": "red",
    "MISSING": "red",
    "ERROR": "red",
    "STOPPED": "dim",
}


class Terminal:
    """Where this command prints; `--json` turns what it prints into documents."""

    def __init__(self) -> None:
        self.json = False
        self.address = "ENV"
        """The environment, and the options that it takes to name it again."""
        self.beside: dict[str, dict[str, str]] = {}
        """By group of verbs, the options that its verbs need besides, with their values."""
        self.alone: set[str] = set()
        """Options that go with none of those."""

    def result(self, result: "Result") -> None:
        """The JSON document of a result, on stdout."""
        # A task's log is a list of lines, and this one is for a program.
        sys.stdout.write(_document(result, indent=None if os.environ.get(_INSIDE) else 2))

    def line(self, result: "Result") -> None:
        """One result of many, as one line of JSON, at once."""
        sys.stdout.write(_document(result, indent=None))
        sys.stdout.flush()

    def text(self, *lines: str) -> None:
        """Lines of a result, on stdout."""
        for line in lines:
            self.stdout().print(line, markup=False, highlight=False, soft_wrap=True)

    def aside(self, *lines: str) -> None:
        """Lines that are no result, such as what is asked about, on stderr."""
        self._say("".join(f"{line}\n" for line in lines))

    def content(self, content: bytes) -> None:
        """A document of a format that has its own encoding, on stdout, whatever the locale is."""
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()

    def render(self, *parts: "RenderableType") -> None:
        """Tables and the like, on stdout."""
        for part in parts:
            # A terminal that is too narrow breaks lines itself, and a path can still be copied.
            self.stdout().print(part, crop=False, no_wrap=True, overflow="ignore")

    def progress(self, line: str) -> None:
        """One line of what is going on, with the seconds since the command began, on stderr."""
        elapsed = time.monotonic() - _BEGAN
        self._say(f"{elapsed:6.2f}s  {self.spelled(line)}\n")

    def warning(self, line: str) -> None:
        """Something that the user should know and that is not an error."""
        self._say(f"warning: {line}\n")

    def _say(self, text: str) -> None:
        # Nobody may be there to read it any more; what is being done goes on all the same.
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def error(self, error: "DeployError") -> None:
        """What failed, why, and what to do next; with --json the same as a document."""
        if self.json:
            from temporal_dsql_deploy.cli.failure import Failure

            self._say(_document(Failure.of(error, fix=self.spelled(error.fix)), indent=None))
            return
        from rich.text import Text

        stderr = _console(stderr=True)
        for label, text, style in (
            ("error", f"{error.message} [{error.code}]", "bold red"),
            ("cause", error.cause, "default"),
            ("fix", self.spelled(error.fix), "default"),
        ):
            if text:
                line = Text(f"{label}: ", style=style).append(text, "default")
                with contextlib.suppress(OSError):
                    stderr.print(line, soft_wrap=True)

    def spelled(self, text: str) -> str:
        """`text` with its commands as this user has to type them, to be pasted as they are."""
        named = re.sub(rf"\b{COMMAND} (\w+(?: \w+)?) ENV\b(?: (--[\w-]+))?", self._again, text)
        return named.replace(f"{COMMAND} ", f"{_typed()} ")

    def _again(self, found: re.Match[str]) -> str:
        verb, option = found[1], found[2]
        given = {} if option in self.alone else self.beside.get(verb.split()[0], {})
        beside = [word for pair in given.items() if pair[0] != option for word in pair]
        words = (COMMAND, verb, self.address, shlex.join(beside), option or "")
        return " ".join(filter(None, words))

    def stdout(self) -> "Console":
        """Rich's console for stdout."""
        return _console(stderr=False)

    def interactive(self) -> bool:
        """Whether there is somebody to ask."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, *lines: str) -> bool:
        """Ask a question on stderr; only y or yes is a yes."""
        sys.stderr.write("\n".join(lines) + " [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def ask(self, *lines: str) -> str:
        """Ask for a word on stderr; what was typed."""
        sys.stderr.write("\n".join(lines) + " ")
        sys.stderr.flush()
        return sys.stdin.readline().strip()


terminal = Terminal()


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    class Quiet(Console):
        """Leaves a reader that went away to cli.main; Rich would end with an error."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Quiet(stderr=stderr, highlight=False)
    if not console.is_terminal:
        # A line is as long as it is: nothing is wrapped or cut for a reader's eyes.
        console.width = _NO_TERMINAL_WIDTH
    return console


def _document(result: "Result", *, indent: int | None) -> str:
    from pydantic import TypeAdapter

    return TypeAdapter(type(result)).dump_json(result, indent=indent, by_alias=True).decode() + "\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> "RenderableType":
    """A table without lines, states in colour."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(column, no_wrap=True, overflow="ignore")
    for row in rows:
        made.add_row(*(Text(str(cell), style=_STYLES.get(str(cell), "")) for cell in row))
    return made


def _typed() -> str:
    """The command: as a path when it is not on PATH."""
    called = Path(sys.argv[0])
    if called.name != COMMAND:
        return f"{Path(sys.executable).name} -m temporal_dsql_deploy"
    on_path = shutil.which(COMMAND)
    if on_path and Path(on_path).resolve() == called.resolve():
        return COMMAND
    here = Path.cwd()
    path = called.absolute()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

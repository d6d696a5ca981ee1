"""Start Terraform, follow what it says, stop it gracefully, and say what went wrong."""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, Any

from temporal_dsql_deploy.errors import MissingError, StoppedHalfway, TerraformFailed
from temporal_dsql_deploy.terraform import failures, find, mirror, survive
from temporal_dsql_deploy.terraform.commands import Command
from temporal_dsql_deploy.terraform.find import Binary
from temporal_dsql_deploy.terraform.messages import Diagnostic, Event, Message, diagnostic, message

OnEvent = Callable[[Event], None]
"""Is told what happens while Terraform runs."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CHANGING = ("apply", "destroy")
_STOPPING = "interrupted: terraform is told to stop; nothing is changed by it"
_FINISHING = (
    "interrupted: terraform finishes this apply, nothing comes after it; a second interrupt stops "
    "it half way, and what AWS is making then may be in no state"
)
_GRACEFUL = (
    "interrupted: terraform finishes what it has begun and writes its state; "
    "the next interrupt stops it at once, which can leave the state locked"
)
_STOPPING_AT_ONCE = "interrupted again: terraform stops at once"
_AT_ONCE = (
    "interrupted again: terraform stops at once; if the state stays locked, the next command says "
    "by whom, and how to unlock it (terraform force-unlock)"
)


def ignore(_event: Event) -> None:
    """Nobody watches."""


@contextmanager
def ready(
    program: Path | None, provider_mirror: Path | None, on_event: OnEvent
) -> Iterator[tuple[Binary, dict[str, str]]]:
    """The Terraform to run and the variables by which it finds its providers, for a block.

    Both are as `find.find` and `mirror.find` choose them, and raises what they raise.
    """
    binary = find.find(program)
    source = mirror.find(provider_mirror)
    if source.event:
        on_event(source.event)
    with mirror.configured(source) as variables:
        yield binary, variables


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of Terraform said."""

    messages: tuple[Message, ...]
    """Its stream, for a subcommand that streams."""
    code: int
    output: str = ""
    """What it wrote outside its stream."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Its errors and warnings, in their order."""
        found = (part.diagnostic for part in self.messages)
        return tuple(part for part in found if part is not None)


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in one directory."""

    binary: Binary
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of this process."""
    on_event: OnEvent = ignore
    finishes: bool = False
    """Terraform is not told of the first interrupt. On one that it is told of, the AWS provider
    drops the calls that it waits for, and what these make on AWS is in no state."""

    def run(self, command: Command, *, keep: Callable[[Message], bool] | None = None) -> Result:
        """Run a subcommand that streams messages, to its end.

        `keep` chooses the messages of the result; all without it. Raises what `failures` makes of
        an exit code other than 0; StoppedHalfway when an apply or destroy was interrupted before it
        was done, and KeyboardInterrupt when anything else was.
        """
        result = self.attempt(command, keep=keep)
        if result.code != 0:
            raise self.failure(command[0], result.diagnostics, result.output)
        return result

    def attempt(self, command: Command, *, keep: Callable[[Message], bool] | None = None) -> Result:
        """As `run`, but an exit code other than 0 is left to the caller."""
        kept, done = [], 0
        with self._process(command) as (process, lines, errors, interrupts):
            for line in lines:
                said = message(line)
                if said.text:
                    self.on_event(said.event)
                done += said.type == "apply_complete"
                if keep is None or keep(said) or "diagnostic" in said.body:
                    kept.append(said)
            code = process.wait()
            outside = [said.text for said in kept if said.type == "text"]
            output = "\n".join([*outside, _content(errors)])
        self._tell(interrupts, command[0])
        # An apply that had nothing left to do when it was interrupted is done.
        if interrupts.count and not (code == 0 and command[0] in _CHANGING):
            raise self._stopped(command[0], done)
        return Result(tuple(kept), code, output)

    def document(self, command: Command) -> Any:
        """Run a subcommand that prints one JSON document, and read that. Raises as `run`."""
        with self._process(command) as (process, lines, errors, interrupts):
            text = "".join(lines)
            code = process.wait()
            output = _content(errors)
        if interrupts.count:
            raise KeyboardInterrupt
        try:
            made = json.loads(text)
        except ValueError as error:
            if code != 0:
                raise self.failure(command[0], (), f"{text}{output}") from error
            raise TerraformFailed(
                f"terraform {command[0]} printed something else than JSON",
                cause=str(error),
                fix="use a Terraform from 1.11 on below 2",
            ) from error
        found = made.get("diagnostics", ()) if isinstance(made, Mapping) else ()
        if code != 0:
            raise self.failure(command[0], [diagnostic(part) for part in found], output)
        return made

    def failure(
        self, verb: str, diagnostics: tuple[Diagnostic, ...] | list[Diagnostic], output: str
    ) -> Exception:
        """The error that diagnostics of this directory are."""
        context = failures.Context(verb, self.directory)
        return failures.translate(diagnostics, context, output=output)

    @contextmanager
    def _process(
        self, command: Command
    ) -> Iterator[tuple[subprocess.Popen[str], Iterator[str], IO[str], "_Interrupts"]]:
        if not self.directory.is_dir():
            raise MissingError(
                f"there is no folder {self.directory}",
                cause="the Terraform of the environment should be in it",
                fix="correct the path, `terraform` in the file of the environment",
            )
        variables = {
            **os.environ,
            **self.environment,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        to_file = command[0] in survive.LOCKING
        with (
            tempfile.TemporaryFile("w+", errors="replace") as errors,
            tempfile.TemporaryFile() as written,
            # Before Terraform starts: no signal may end this process and leave Terraform running.
            _forwarded(int(self.finishes)) as interrupts,
            subprocess.Popen(
                [str(self.binary.path), *command],
                cwd=self.directory,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=written if to_file else subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                errors="replace",
                # A terminal would send Ctrl-C to Terraform as well, and it takes the second of two
                # as an order to drop everything.
                start_new_session=True,
            ) as process,
        ):
            try:
                interrupts.pass_on_to(process)
                tell = partial(self._tell, interrupts, command[0])
                # What is told at once is what changes something: Terraform is silent for seconds.
                piped = _piped(process, tell)
                lines = survive.lines(process, written, tell) if to_file else piped
                yield process, lines, errors, interrupts
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    process.wait()

    def _tell(self, interrupts: "_Interrupts", verb: str) -> None:
        if interrupts.news():
            self.on_event(Event("interrupted", interrupts.words(verb)))

    def _stopped(self, verb: str, done: int) -> BaseException:
        if verb not in _CHANGING:
            return KeyboardInterrupt()
        return StoppedHalfway(
            f"terraform {verb} of {self.directory.name} was stopped before it was done",
            cause=f"it was interrupted; {done} resources had been changed and are in the state",
            fix="run the same command again: it goes on from there",
        )


def _piped(process: "subprocess.Popen[str]", tell: Callable[[], None]) -> Iterator[str]:
    for line in process.stdout or ():
        tell()
        yield line


class _Interrupts:
    """How often this process was told to stop, and whether that has been said."""

    def __init__(self, allowed: int = 0) -> None:
        self.count = 0
        self._allowed = allowed
        self._said = 0
        self._process: subprocess.Popen[str] | None = None

    def interrupt(self) -> None:
        """Tell Terraform to stop, or remember that it is to be told."""
        self.count += 1
        if self._process is not None and self.count > self._allowed:
            self._process.send_signal(signal.SIGINT)

    def pass_on_to(self, process: "subprocess.Popen[str]") -> None:
        """From here on `process` is told, also of what came while it was being started."""
        self._process = process
        if self.count > self._allowed:
            process.send_signal(signal.SIGINT)

    def news(self) -> bool:
        return self.count > self._said

    def words(self, verb: str) -> str:
        self._said = self.count
        told = self.count - self._allowed
        if told < 1:
            return _FINISHING
        if verb not in _CHANGING:
            return _STOPPING if told == 1 else _STOPPING_AT_ONCE
        return _GRACEFUL if told == 1 else _AT_ONCE


class _Threads(_Interrupts):
    """What runs in threads, which signals do not arrive in."""

    def __init__(self) -> None:
        super().__init__()
        self._members: list[_Interrupts] = []

    def interrupt(self) -> None:
        self.count += 1
        for one in tuple(self._members):
            one.interrupt()

    @contextmanager
    def member(self) -> Iterator[_Interrupts]:
        """One Terraform; told at once where the others have been told."""
        one = _Interrupts()
        self._members.append(one)
        try:
            if self.count:
                one.interrupt()
            yield one
        finally:
            self._members.remove(one)


_threads = _Threads()
"""Of the last block of `side_by_side`."""


@contextmanager
def side_by_side() -> Iterator[None]:
    """A block whose threads run Terraform: a signal to stop reaches each of them.

    Raises KeyboardInterrupt at the end when there was one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    global _threads  # noqa: PLW0603 - signals are the process's
    own = _threads = _Threads()
    with _handled(own.interrupt):
        yield
    if own.count:
        raise KeyboardInterrupt


@contextmanager
def _forwarded(allowed: int) -> Iterator[_Interrupts]:
    """Signals after those allowed go to Terraform, as the one that it stops gracefully for."""
    if threading.current_thread() is not threading.main_thread():
        with _threads.member() as interrupts:
            yield interrupts
        return
    interrupts = _Interrupts(allowed)
    with _handled(interrupts.interrupt):
        yield interrupts


@contextmanager
def _handled(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` at every signal to stop."""

    def forward(_number: int, _frame: FrameType | None) -> None:
        interrupt()

    # What is ignored, as below `nohup`, stays ignored.
    before = {n: h for n in _SIGNALS if (h := signal.getsignal(n)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, forward)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()

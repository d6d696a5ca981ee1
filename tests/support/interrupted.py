"""`up` on ECS that is stopped at a write to AWS, and what stands after the next one.

Each round has an account of its own, empty but for the bucket of the state.
"""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from temporal_dsql_deploy.rehearsal import faults
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION, EmulatedAws
from temporal_dsql_deploy.rehearsal.faults import Faults, Write
from tests.support.aws import client
from tests.support.deploy import Deploy
from tests.support.inventory import inventory, more

NAME = "small"
BUCKET = f"{NAME}-terraform-state"
ROOT = Path(__file__).parent / "small_root"
UP = ("up", NAME, "--yes", "--only", "apply", "--json")
_LIMIT = 900.0
_REMOVAL = re.compile(r"To remove it: (.+)")


@dataclass(frozen=True, slots=True)
class Point:
    """Where an `up` is stopped."""

    write: int
    """The number of the call that changes something, from 1."""
    signal: str
    """SIGINT or SIGKILL."""
    answered: bool
    """Whether that call's answer was on its way."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What came of one round."""

    point: Point
    code: int
    """Of the `up` that was stopped; 0 where it was done before."""
    again: int
    """Of the next one, which nobody has prepared."""
    wrong: str
    """What is not as after an undisturbed `up`; empty for nothing."""
    named: int = 0
    """What the next one has named as in no state, with the command that has removed it."""


class Account:
    """An empty account with one environment, and the command line that brings it up."""

    def __init__(self, aws: EmulatedAws, folder: Path) -> None:
        self.aws = aws
        self.faults = Faults(aws.url)
        self.root = folder / "root"
        self.command = Deploy(folder / "command")
        # Whoever runs in the background of a script ignores it, and so does all that is started.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        shutil.copytree(ROOT, self.root, symlinks=True)
        (self.root / "terraform.tfvars").write_text(
            f'account_id = "{ACCOUNT}"\nregion = "{REGION}"\n'
        )
        (self.root / "backend.hcl").write_text(f'bucket = "{BUCKET}"\nregion = "{REGION}"\n')
        path = self.command.write_environment(name=NAME)
        path.write_text(f'platform = "ecs"\nterraform = "{self.root}"\n')
        self.command.environment = {
            name: value
            for name, value in self.command.environment.items()
            if not name.startswith("AWS_")
        }
        self.command.environment |= aws.environment()
        client(aws, "s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """To the end, whatever that is."""
        return self.command.run(*UP, check=False, timeout=_LIMIT, **variables)

    def recorded(self, path: Path) -> list[Write]:
        """The writes of one `up` that nothing disturbs."""
        self.faults.record(path)
        done = self.up()
        assert done.returncode == 0, done.stderr
        return faults.writes(path.read_text().splitlines())

    def stopped(self, point: Point) -> tuple[int, str]:
        """One `up` that gets a signal at a write; its exit code, and what it said."""
        process = self.command.start(*UP)
        number = signal.Signals[point.signal]
        self.faults.stop_after(point.write, process.pid, number, answered=point.answered)
        _, said = process.communicate(timeout=_LIMIT)
        return process.returncode, said

    def remove_named(self, said: str) -> int:
        """Do what an `up` has said removes what is in no state; how many these are."""
        found: list[str] = _REMOVAL.findall(said)
        for command in (one for line in found for one in line.split(" && ")):
            self._run(command.split())
        return len(found)

    def _run(self, words: Sequence[str]) -> None:
        """A command of AWS's own command line: aws SERVICE CALL --OPTION VALUE, or --no-OPTION."""
        _, service, call, *options = words
        given: dict[str, object] = {}
        for option, value in zip(options, [*options[1:], ""], strict=True):
            name = option.removeprefix("--").removeprefix("no-")
            spelled = "".join(part.capitalize() for part in name.split("-"))
            own = spelled if service == "ec2" else spelled[0].lower() + spelled[1:]
            if option.startswith("--no-"):
                given[own] = False
            elif option.startswith("--"):
                given[own] = [value] if own.endswith("Ids") else value
        try:
            getattr(client(self.aws, service), call.replace("-", "_"))(**given)
        except ClientError as error:
            # moto keeps the tags of what was deleted.
            if "NotFound" not in error.response["Error"]["Code"]:
                raise

    def difference(self, undisturbed: Mapping[str, int]) -> str:
        """What is not as after an `up` that nobody has stopped, with that one's inventory."""
        found = more(undisturbed, inventory(self.aws))
        twice = [f"{count:+d} {kind}" for kind, count in found.items()]
        done = self.up()
        if done.returncode != 0:
            return f"a third up ended with {done.returncode}: {done.stderr[-500:]}"
        if json.loads(done.stdout)["changed"]:
            twice.append("a third up had something left to change")
        return ", ".join(twice)


def run_round(point: Point, folder: Path, undisturbed: Mapping[str, int]) -> Stopped:
    """Stop an `up` from nothing, and say what the next one makes of it."""
    folder.mkdir(parents=True)
    with EmulatedAws(folder / "log") as aws:
        account = Account(aws, folder)
        try:
            code, _ = account.stopped(point)
            again = account.up()
            if again.returncode != 0:
                return Stopped(point, code, again.returncode, again.stderr[-1000:])
            named = account.remove_named(again.stderr)
            return Stopped(point, code, 0, account.difference(undisturbed), named)
        finally:
            account.command.clean_up()


def undisturbed(folder: Path) -> tuple[list[Write], dict[str, int]]:
    """The writes of an `up` from nothing, and what stands after it."""
    folder.mkdir(parents=True)
    with EmulatedAws(folder / "log") as aws:
        account = Account(aws, folder)
        written = account.recorded(folder / "writes")
        return written, inventory(aws)

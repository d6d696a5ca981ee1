"""Every environment, nothing left out: applied, planned empty and destroyed in the emulated AWS."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import aws as account
from tests.support.terraform_env import Environment, copy, environment

T = TypeVar("T")
ENVIRONMENTS = ("dev", "bench", "prod")


@dataclass(frozen=True)
class Life:
    """How one environment fared."""

    name: str
    resources: int = 0
    applied: float = 0
    """Seconds, and so are the next two."""
    planned: float = 0
    destroyed: float = 0
    problem: str = ""


def run(progress: Path, say: Callable[[str], None]) -> list[Life]:
    """The life of every environment, those that were lived before and those that are now."""
    lines = progress.read_text().splitlines() if progress.exists() else []
    lives = [Life(**json.loads(line)) for line in lines]
    for name in ENVIRONMENTS:
        if name in {life.name for life in lives}:
            continue
        life = live(name)
        lives.append(life)
        with progress.open("a") as file:
            file.write(json.dumps(asdict(life)) + "\n")
        say(f"{name}: {life.resources} resources, {life.problem or 'no problem'}")
    return lives


def live(name: str) -> Life:
    """Apply, plan and destroy one environment in an account of its own."""
    with TemporaryDirectory(prefix="campaign-") as temporary:
        folder = Path(temporary)
        terraform = copy(folder, whole=True)
        with EmulatedAws(folder / "log") as aws:
            account.grafana_secret(aws, f"temporal-{name}")
            with environment(terraform / "envs" / name, aws) as made:
                try:
                    life = _lived(name, made)
                except AssertionError as error:
                    return Life(name, problem=str(error))
            return Life(**{**asdict(life), "problem": life.problem or account.log(aws)})


def _lived(name: str, made: Environment) -> Life:
    applied, _ = _timed(made.apply)
    resources = len(made.resources())
    planned, changes = _timed(made.plan)
    if changes:
        return Life(name, resources, applied, planned, problem=f"planned again: {changes}")
    # Whoever destroys an environment lifts its protection first.
    made.apply(deletion_protection=False)
    destroyed, _ = _timed(lambda: made.destroy(deletion_protection=False))
    return Life(name, resources, applied, planned, destroyed)


def _timed(what: Callable[[], T]) -> tuple[float, T]:
    before = time.monotonic()
    result = what()
    return round(time.monotonic() - before, 1), result


def report(lives: Sequence[Life], *, date: str) -> str:
    """The lives as a page."""
    lines = [
        "# Environments in the emulated AWS\n",
        f"{date}. The real Terraform and AWS provider, nothing left out, against a stand-in of",
        "AWS: see `temporal_dsql_deploy.rehearsal` for what it cannot show.\n",
        "| Environment | Resources | Apply, s | Plan again, s | Destroy, s | Problem |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {life.name} | {life.resources} | {life.applied:g} | {life.planned:g} "
        f"| {life.destroyed:g} | {life.problem or 'none'} |"
        for life in lives
    ]
    return "\n".join([*lines, "\nAgain: `make campaign`."]) + "\n"

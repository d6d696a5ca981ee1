"""Every environment on ECS, rehearsed whole: applied, deployed and probed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support import rehearsal

ENVIRONMENTS = ("dev", "bench", "prod")
HEAD = """\
# Rehearsals of the environments

{date}. `dsql-deploy rehearse ENV` from nothing, with the values of `terraform.tfvars.example`: the
environment's own Terraform applied to the emulated AWS, and its deployment. What that cannot show
is in [the guide](../guides/rehearse.md).

| Environment | Probe | From nothing to the end | To the end of apply | Deployment | Dials refused |
|---|---|---|---|---|---|"""
_LIMIT = 1800
_DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One environment."""

    environment: str
    right: list[str]
    """Names of the checks of the probe that were right."""
    failed: list[str]
    seconds: dict[str, float]
    """By part."""
    denied: int
    """Connections that security groups refused."""

    @property
    def whole(self) -> float:
        """Seconds of all parts."""
        return sum(self.seconds.values())

    @property
    def deployment(self) -> float:
        """Seconds after the apply."""
        return self.seconds.get(_DEPLOYMENT, 0.0)


def run(progress: Path, say: Callable[[str], None]) -> list[Rehearsed]:
    """All of them, those rehearsed before and those that are now."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    lines = progress.read_text().splitlines() if progress.exists() else []
    done = [Rehearsed(**json.loads(line)) for line in lines]
    known = {one.environment for one in done}
    left = [name for name in ENVIRONMENTS if name not in known]
    if not left:
        return done
    with rehearsal.from_nothing() as deploy:
        for name in left:
            found = deploy.run("rehearse", name, "--json", check=False, timeout=_LIMIT)
            one = _of(name, json.loads(found.stdout))
            with progress.open("a") as file:
                file.write(json.dumps(asdict(one)) + "\n")
            done.append(one)
            say(f"{name}: {len(one.right)} checks are right, {len(one.failed)} are not")
    return done


def _of(name: str, said: dict[str, Any]) -> Rehearsed:
    checks = (said.get("probe") or {}).get("checks", [])
    return Rehearsed(
        name,
        [one["name"] for one in checks if one["ok"]],
        [one["name"] for one in checks if not one["ok"]]
        or ([] if said.get("ok") else ["none ran"]),
        said.get("seconds", {}),
        sum(one["attempts"] for one in said.get("denied", [])),
    )


def report(done: Sequence[Rehearsed], *, date: str) -> str:
    """The run as a page."""
    lines = [HEAD.format(date=date)]
    for one in done:
        failed = f"; failed: {', '.join(one.failed)}" if one.failed else ""
        lines.append(
            f"| {one.environment} | {len(one.right)} right{failed} | {one.whole:.0f} s "
            f"| {one.whole - one.deployment:.0f} s | {one.deployment:.0f} s | {one.denied} |"
        )
    return "\n".join([*lines, "\nAgain: `python -m tests.campaign --rehearsals-alone`."]) + "\n"

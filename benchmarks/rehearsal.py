"""How long a rehearsal takes to the end of its apply, against a bare `terraform apply`.

Both in the emulated AWS, from nothing: the bare one has its emulated AWS started, its secret made,
and its Terraform initialised, planned and applied, by nothing but what anybody would type.
"""

import signal
import time
from pathlib import Path

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import rehearsal
from tests.support.aws import grafana_secret
from tests.support.deploy import Deploy
from tests.support.machine import LACKS
from tests.support.terraform_env import copy, environment

NEEDS = ("container engine", "nftables", "terraform", "temporal-server", "opensearch", "postgresql")
_APPLIED = "apply: applied"


def lack() -> str | None:
    """Why it cannot be measured here; None when it can."""
    return next((reason for name in NEEDS if (reason := LACKS[name]())), None)


def rehearsed(deploy: Deploy) -> float:
    """Seconds from `dsql-deploy rehearse dev` to the end of its apply; it is then interrupted."""
    began = time.perf_counter()
    with deploy.start("rehearse", "dev") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if _APPLIED in line:
                break
        else:
            raise RuntimeError("`dsql-deploy rehearse dev` ended and has applied nothing")
        seconds = time.perf_counter() - began
        process.send_signal(signal.SIGINT)
        process.communicate()
    return seconds


def bare(folder: Path) -> float:
    """Seconds of an apply by Terraform alone."""
    dev = copy(folder / "copy") / "envs" / "dev"
    began = time.perf_counter()
    with EmulatedAws(folder / "log") as aws:
        grafana_secret(aws, "temporal-dev")
        with environment(dev, aws) as made:
            made.apply()
            return time.perf_counter() - began


def turns(rounds: int, folder: Path) -> list[tuple[float, float]]:
    """Both, taking turns; seconds of ours and of the bare one."""
    with rehearsal.from_nothing() as deploy:
        found = []
        for number in range(rounds):
            (folder / str(number)).mkdir()
            found.append((rehearsed(deploy), bare(folder / str(number))))
        return found

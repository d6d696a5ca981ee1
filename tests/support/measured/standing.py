"""The base of a rehearsal of dev that stands, and one for whoever has none."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from tests.support import containers, rehearsal
from tests.support.measured.base import Base, Stands
from tests.support.rehearsal import StandingRehearsal

_TERRAFORM = "terraform/terraform/envs/dev"
"""The copy, in the folder of what stands."""
_OURS = ("AWS_", "DOCKER_")


@contextmanager
def stands(standing: StandingRehearsal) -> Iterator[Base]:
    """A rehearsal as a base, while this process talks to its AWS and its engine."""
    terraform = standing.folder / _TERRAFORM
    environment = Environment("dev", platform="ecs", terraform=terraform)
    aws = standing.result["standing"]
    engine = {
        name: value
        for name, value in standing.deploy.environment.items()
        if name.startswith("DOCKER_")
    }
    before = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    _put({**aws, **engine})
    try:
        yield Base(Stands(environment, standing.folder, aws))
    finally:
        _put(before)


def _put(variables: dict[str, str]) -> None:
    """Let this process have these of AWS and of the engine, and no others."""
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    os.environ.update(variables)


@contextmanager
def made() -> Iterator[Base]:
    """An engine, images, a rehearsal of dev; all is taken away again."""
    with tempfile.TemporaryDirectory(prefix="predictions-") as name:
        folder = Path(name)
        with containers.engine(folder) as environ:
            containers.load_base(environ)
            rehearsal.build_images(environ, folder / "images")
            deploy = rehearsal.rehearsing(environ, folder / "deploy")
            try:
                with stands(rehearsal.stand(deploy, "dev")) as base:
                    yield base
            finally:
                deploy.run("rehearse", "dev", "--end", check=False)
                deploy.clean_up()

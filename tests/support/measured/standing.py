"""The base of a rehearsal of dev that stands, and one for whoever has none."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from tests.support import containers, rehearsal
from tests.support.measured.base import Base, Stands
from tests.support.rehearsal import StandingRehearsal


@contextmanager
def stands(standing: StandingRehearsal) -> Iterator[Base]:
    """A rehearsal as a base, while this process talks to its AWS."""
    environment = Environment("dev", platform="ecs", terraform=standing.terraform)
    with rehearsal.talking_to(standing):
        yield Base(Stands(environment, standing.state, standing.result["standing"]))


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
                rehearsal.end(deploy, "dev")
                deploy.clean_up()

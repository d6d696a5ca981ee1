"""The base of a rehearsal of dev that stands, and one for whoever has none."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporal_dsql_deploy.environments.model import Environment
from tests.support import rehearsal
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
    with rehearsal.from_nothing() as deploy:
        try:
            with stands(rehearsal.stand(deploy, "dev")) as base:
                yield base
        finally:
            deploy.run("rehearse", "dev", "--end", check=False)
            deploy.clean_up()

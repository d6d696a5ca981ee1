"""The base of a rehearsal of dev that stands, and one for whoever has none."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from tests.support import containers, rehearsal
from tests.support.measured.base import Base, Stands
from tests.support.rehearsal import Held, Kept


@contextmanager
def stands(kept: Kept) -> Iterator[Base]:
    """A rehearsal as a base, while this process talks to its AWS."""
    environment = Environment("dev", platform="ecs", terraform=kept.terraform)
    with rehearsal.talking_to(kept):
        yield Base(Stands(environment, kept.state, kept.aws))


@contextmanager
def made() -> Iterator[Base]:
    """An engine, images, a rehearsal of dev; all is taken away again."""
    with tempfile.TemporaryDirectory(prefix="predictions-") as name:
        folder = Path(name)
        with containers.engine(folder) as environ:
            containers.load_base(environ)
            rehearsal.build_images(environ, folder / "images")
            held = Held(environ, folder / "held")
            try:
                with stands(held.stand()) as base:
                    yield base
            finally:
                held.end()

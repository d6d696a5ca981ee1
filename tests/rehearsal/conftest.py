"""Fixtures of the tests of the emulated AWS."""

from collections.abc import Iterator

import pytest

from tests.support import ecs_cluster, rehearsal
from tests.support.aws import aws
from tests.support.ecs_cluster import Tiny
from tests.support.rehearsal import Held, Kept

__all__ = ["aws"]


@pytest.fixture(scope="session")
def standing(docker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """An ECS cluster that starts containers."""
    with ecs_cluster.tiny(docker, tmp_path_factory.mktemp("tiny")) as made:
        yield made


@pytest.fixture
def tiny(standing: Tiny) -> Tiny:
    """The same, in which nothing runs when a test begins."""
    standing.reset()
    return standing


@pytest.fixture(scope="session")
def images(docker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Names of the images that a rehearsal runs, by image."""
    return rehearsal.build_images(docker, tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def held(
    docker: dict[str, str], images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Held]:
    """Where a rehearsal of dev stands, or will; a test that begins one anew ends it first."""
    assert images
    made = Held(docker, tmp_path_factory.mktemp("held"))
    yield made
    made.end()


@pytest.fixture
def standing_dev(held: Held) -> Kept:
    """A rehearsal of dev that stands, the same for all tests: each leaves it as it was."""
    return held.stand()

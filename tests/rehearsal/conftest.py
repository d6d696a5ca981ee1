"""Fixtures of the tests of the emulated AWS."""

from collections.abc import Iterator

import pytest

from tests.support import ecs_cluster, rehearsal
from tests.support.aws import aws
from tests.support.ecs_cluster import Tiny
from tests.support.rehearsal import StandingRehearsal

__all__ = ["aws"]


@pytest.fixture(scope="session")
def images(docker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Those that a rehearsal runs."""
    return rehearsal.build_images(docker, tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def standing_dev(
    docker: dict[str, str], images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StandingRehearsal]:
    """A rehearsal of dev that stands: from nothing, probed, and in the end nothing is left."""
    assert images
    deploy = rehearsal.rehearsing(docker, tmp_path_factory.mktemp("rehearsal"))
    try:
        yield rehearsal.stand(deploy, "dev")
        rehearsal.end(deploy, "dev")
        assert rehearsal.left(deploy, rehearsal.DEV) == []
    finally:
        deploy.run("rehearse", "dev", "--end", check=False)
        deploy.clean_up()


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

"""Fixtures of the tests of the emulated AWS."""

from collections.abc import Iterator

import pytest

from tests.support import ecs_cluster
from tests.support.aws import aws
from tests.support.ecs_cluster import Tiny

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

"""A cluster that the tests of a file share; images that those of containers do."""

from collections.abc import Iterator

import pytest

from tests.support import container_images
from tests.support.container_images import Images
from tests.support.deploy import Deploy


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    command = Deploy(tmp_path_factory.mktemp("bench"))
    try:
        command.run("up")
        yield command
    finally:
        command.clean_up()


@pytest.fixture
def running(cluster: Deploy) -> Iterator[Deploy]:
    """The cluster that runs; what a test has started there ends with it."""
    yield cluster
    cluster.end_started()


@pytest.fixture(scope="session")
def role_images(docker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Images:
    """What a cluster in containers runs."""
    return container_images.make(docker, tmp_path_factory.mktemp("images"))

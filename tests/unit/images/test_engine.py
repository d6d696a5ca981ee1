"""Which container engine is used, and with which command lines."""

import stat
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import (
    BinaryMissing,
    BinaryUnusable,
    ImageFailed,
    UnknownChoice,
)
from temporal_dsql_deploy.images import engine
from temporal_dsql_deploy.images.engine import Build, Engine

ORDER = Build(
    "temporal-dsql:sha-1-2",
    "arm64",
    Path("/docker/server/Dockerfile"),
    Path("/context"),
    {"BASE_IMAGE": "python:3"},
    {"a": "b"},
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def docker(folder: Path, client: str, *, buildx: bool) -> None:
    answer = "exit 0" if buildx else 'echo "docker: buildx is not a docker command" >&2; exit 1'
    program(
        folder,
        "docker",
        f'case "$1" in version) echo {client} 28.0.1;; buildx) {answer};; esac',
    )


@pytest.mark.parametrize("name", engine.ENGINES)
def test_an_image_is_built_for_its_architecture(name: str) -> None:
    assert Engine(name, name).build(ORDER) == [
        *(name, "build", "--platform", "linux/arm64"),
        *("--file", "/docker/server/Dockerfile", "--tag", "temporal-dsql:sha-1-2"),
        *("--build-arg", "BASE_IMAGE=python:3", "--label", "a=b", "/context"),
    ]


def test_no_password_is_on_a_command_line_and_docker_s_own_login_is_used_without_one() -> None:
    folder = Path("/login")
    push = Engine("docker", "docker").push("x:1", folder, login=True, plain=False)
    assert push == ["docker", "--config", "/login", "push", "x:1"]
    own = Engine("docker", "docker").push("x:1", folder, login=False, plain=True)
    assert own == ["docker", "push", "x:1"]
    podman = Engine("podman", "podman").push("x:1", folder, login=True, plain=True)
    assert podman == [
        *("podman", "push", "--digestfile=/login/digest", "--tls-verify=false"),
        *("--authfile=/login/config.json", "x:1"),
    ]


def test_the_digest_that_was_pushed_is_read(tmp_path: Path) -> None:
    digest = f"sha256:{'ab' * 32}"
    docker = Engine("docker", "docker")
    assert docker.pushed(f"1.0: digest: {digest} size: 741\n", tmp_path) == digest
    assert docker.pushed("nothing", tmp_path) == ""
    (tmp_path / engine.DIGEST).write_text(f"{digest}\n")
    assert Engine("buildah", "buildah").pushed("", tmp_path) == digest


def test_a_machine_without_an_engine_is_told_which_there_are(path: Path) -> None:
    with pytest.raises(BinaryMissing, match="no container engine"):
        engine.choose()
    with pytest.raises(BinaryMissing, match="no podman"):
        engine.choose("podman")
    with pytest.raises(UnknownChoice):
        engine.choose("kaniko")


def test_the_first_that_is_there_is_taken(path: Path) -> None:
    program(path, "buildah", "echo buildah version 1.28.2")
    assert engine.choose().name == "buildah"
    program(path, "podman", "echo podman version 4.3.1")
    assert (engine.choose().name, engine.choose().version) == ("podman", "4.3.1")
    docker(path, "20.10.24", buildx=False)
    assert engine.choose().name == "docker"
    assert engine.choose("buildah").name == "buildah"


def test_an_old_docker_has_buildkit_inside_and_a_new_one_beside_it(path: Path) -> None:
    docker(path, "20.10.24", buildx=False)
    old = engine.choose()
    assert old.environment == {"DOCKER_BUILDKIT": "1"}
    assert "--provenance=false" not in old.build(ORDER)
    assert old.shown(["docker", "x y"]) == "env DOCKER_BUILDKIT=1 docker 'x y'"
    docker(path, "28.2.2", buildx=True)
    new = engine.choose()
    assert new.environment == {}
    assert "--provenance=false" in new.build(ORDER)
    docker(path, "28.2.2", buildx=False)
    with pytest.raises(BinaryUnusable, match="no BuildKit") as refused:
        engine.choose()
    assert "buildx is not a docker command" in refused.value.cause


def test_an_image_is_asked_for_by_its_architecture_where_that_can_be(path: Path) -> None:
    docker(path, "28.2.2", buildx=True)
    assert not engine.choose().by_platform  # the engine is 28.0
    one = Engine("docker", "docker", by_platform=True)
    asked = ["docker", "image", "inspect", "--platform", "linux/arm64", "x"]
    assert one.inspect("x", "arm64") == asked
    assert Engine("docker", "docker").inspect("x", "arm64") == ["docker", "image", "inspect", "x"]


def test_a_docker_whose_engine_does_not_answer_is_said(path: Path) -> None:
    program(path, "docker", 'echo "Cannot connect to the Docker daemon" >&2; exit 1')
    with pytest.raises(BinaryUnusable, match="does not answer") as refused:
        engine.choose()
    assert "Cannot connect" in refused.value.cause


def test_a_failed_step_says_its_last_lines_and_not_how_far_it_was(path: Path) -> None:
    script = "echo '#8 sha256:abc 1MB' >&2; echo '#8 DONE 0.1s' >&2; echo 'ERROR: no' >&2; exit 1"
    program(path, "docker", script)
    one = Engine("docker", str(path / "docker"))
    with pytest.raises(ImageFailed) as failed:
        one.run(one.build(ORDER))
    assert failed.value.cause == "ERROR: no"

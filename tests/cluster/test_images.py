"""Images by the real Docker: built, run, built again, for another architecture, pushed.

The base is a Debian made for tests, as no registry can be reached; Grafana's image is built on a
placeholder, that same Debian: Grafana itself is in none of the package registries.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import base_image
from temporal_dsql_deploy.errors import ImageFailed
from temporal_dsql_deploy.images import elf
from temporal_dsql_deploy.images.engine import choose
from temporal_dsql_deploy.images.registry import Registry
from temporal_dsql_deploy.operations.images import push
from temporal_dsql_deploy.operations.images.result import ImagesPushed
from temporal_dsql_deploy.platforms.cluster import build, programs
from tests.support import container_images, source_tree
from tests.support.container_images import BASE, BuiltImages
from tests.support.containers import PASSWORD, USER
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("opensearch"),
]
OURS = ("server", "runtime", "benchmark", "admin-tools", "grafana")
RUNTIME_LIMIT = 280_000_000
"""Bytes: less than this is what the runtime image has to be."""


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stock server and its tools, with a schema beside them."""
    folder = container_images.binaries(tmp_path_factory.mktemp("binaries"))
    (folder / "schema/postgresql/v12/temporal").mkdir(parents=True)
    (folder / "schema/postgresql/v12/temporal/schema.sql").write_text("-- of the folder\n")
    return folder


@pytest.fixture(scope="module")
def images(
    docker: dict[str, str], binaries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BuiltImages]:
    """All images, built of the stock server."""
    command = Deploy(tmp_path_factory.mktemp("images"))
    command.environment.update(docker)
    made = BuiltImages(command, docker, binaries)
    made.built = made.build()
    yield made
    command.clean_up()


def test_all_are_built_and_the_runtime_is_small(
    images: BuiltImages, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(images.built) == list(OURS)
    for one in images.built.values():
        with capsys.disabled():
            sys.stdout.write(f"image {one['image']}: {one['size'] / 1e6:.0f} MB\n")
        assert one["architecture"] == "amd64"
    assert images.built["runtime"]["size"] < RUNTIME_LIMIT


@pytest.mark.parametrize("image", ["server", "runtime", "benchmark", "admin-tools"])
def test_each_runs_as_a_user_of_its_own(images: BuiltImages, image: str) -> None:
    assert images.run(image, "id", "-u") == "1000"
    assert images.run(image, "sh", "-c", "id -un && cd && pwd")


def test_the_labels_say_of_what_and_when(images: BuiltImages) -> None:
    for name, one in images.built.items():
        (said,) = json.loads(images.docker("image", "inspect", one["name"]).stdout)
        labels = said["Config"]["Labels"]
        assert labels["io.temporal-dsql-deploy.image"] == name
        assert labels["org.opencontainers.image.revision"] == one["revision"]
        created = labels["org.opencontainers.image.created"]
        then = "".join(character for character in created[:19] if character.isdigit())
        tag = re.fullmatch(r"[\w-]+:sha-(\w{12})-(\d{14})", one["name"])
        assert tag is not None, one["name"]
        # Another test may have had it built before, under an earlier name.
        assert (tag[1], then <= tag[2]) == (one["revision"][:12], True)


def test_the_server_and_its_tools_run(images: BuiltImages) -> None:
    version = build.server().version
    assert version in images.run("server", "temporal-server", "--version")
    assert version in images.run("runtime", "temporal-server", "--version")
    tools = ("temporal", "temporal-sql-tool", "temporal-elasticsearch-tool", "tdbg", "dsql-deploy")
    for tool in tools:
        assert images.run("admin-tools", tool, "--version"), tool
    schema = "/etc/temporal/schema/postgresql/v12/temporal/schema.sql"
    assert images.run("admin-tools", "cat", schema) == "-- of the folder"
    assert "--rate" in images.run("benchmark", "dsql-deploy", "bench", "run", "--help")


def test_the_task_of_the_schema_gets_as_far_as_the_credentials(images: BuiltImages) -> None:
    """As terraform/modules/schema-setup runs it, with a schema that it can read, and no network."""
    folder = programs.schema(build.server().folder / "temporal-server", "default", lambda _: None)
    assert folder is not None
    told = {
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLUSTER_ENDPOINT": "abc.dsql.eu-west-1.on.aws",
        "DSQL_DEPLOY_SCHEMA": "/schema",
    }
    variables = [part for name, value in told.items() for part in ("--env", f"{name}={value}")]
    done = images.docker(
        *("run", "--rm", "--network=none", "--entrypoint", "dsql-deploy", *variables),
        *("--volume", f"{folder}:/schema:ro", images.built["admin-tools"]["name"]),
        *("schema", "setup", "temporal-dev"),
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "there are no AWS credentials" in done.stderr


def test_the_runtime_has_what_its_containers_need(images: BuiltImages) -> None:
    script = (
        "touch /var/log/temporal/x /etc/temporal/config/dynamicconfig/y"
        " && command -v script cat grpc_health_probe python3"
    )
    assert images.run("runtime", "sh", "-c", script)
    refused = images.docker("run", "--rm", images.built["runtime"]["name"], check=False)
    assert refused.returncode == 1
    assert "TEMPORAL_SERVICES is not set" in refused.stdout
    probe = "grpc_health_probe -addr=127.0.0.1:7233 -service=x; echo code $?"
    assert images.run("runtime", "sh", "-c", probe).endswith("code 2")


def test_what_is_unchanged_is_left_alone_and_what_is_changed_alone_is_built(
    images: BuiltImages,
) -> None:
    again = images.build()
    assert {name: one["id"] for name, one in again.items()} == {
        name: one["id"] for name, one in images.built.items()
    }
    assert all(one["unchanged"] for one in again.values())
    other = images.build("--build-arg", "DSQL_PORT=5432", "--image", "server", "--image", "runtime")
    assert other["server"]["unchanged"]
    assert not other["runtime"]["unchanged"]
    variables = images.docker("run", "--rm", "--entrypoint", "env", other["runtime"]["name"]).stdout
    assert "TEMPORAL_SQL_PORT=5432" in variables
    # What was built before is built again in no time, and is what would be pushed.
    back = images.build("--image", "server", "--image", "runtime")
    assert back["runtime"]["unchanged"]
    assert back["runtime"]["id"] == images.built["runtime"]["id"]
    listed = json.loads(images.deploy.run("images", "list", "cluster", "--json").stdout)["local"]
    newest = next(one for one in listed if one["image"] == "runtime")
    assert newest["name"] == back["runtime"]["name"]
    assert newest["id"] == images.built["runtime"]["id"]


def test_a_source_tree_is_compiled_for_another_architecture_and_left_as_it_was(
    images: BuiltImages, tmp_path: Path
) -> None:
    tree = source_tree.make(tmp_path / "tree")
    before = sorted(tree.rglob("*"))
    done = images.deploy.run(
        *("images", "build", "cluster", "--source", str(tree), "--architecture", "arm64"),
        *("--base-image", f"{base_image.NAME}:arm64", "--image", "runtime", "--image", "server"),
        "--json",
        timeout=600,
    )
    made = {one["image"]: one for one in json.loads(done.stdout)["images"]}
    assert sorted(tree.rglob("*")) == before
    commit = source_tree.git(tree, "rev-parse", "HEAD")
    assert made["runtime"]["revision"] == commit
    assert made["runtime"]["architecture"] == "arm64"
    # Nothing for arm64 can run here: what is in the image is looked at.
    container = images.docker("create", made["runtime"]["name"]).stdout.strip()
    archive = tmp_path / "files.tar"
    images.docker("export", "--output", str(archive), container)
    images.docker("rm", container)
    with tarfile.open(archive) as files:
        for program in ("temporal-server", "grpc_health_probe"):
            files.extract(f"usr/local/bin/{program}", tmp_path)
            assert elf.architecture(tmp_path / "usr/local/bin" / program) == "arm64"
        assert "temporal:x:1000:1000" in files.extractfile("etc/passwd").read().decode()  # type: ignore[union-attr]


def test_what_does_not_compile_is_named_and_nothing_is_left(
    images: BuiltImages, tmp_path: Path
) -> None:
    tree = source_tree.make(tmp_path / "tree")
    (tree / "cmd/server/main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    before = images.names()
    done = images.deploy.run(
        *("images", "build", "cluster", "--source", str(tree), "--base-image", BASE),
        check=False,
        timeout=600,
    )
    assert done.returncode == 1
    assert "the server and its tools could not be compiled for amd64" in done.stderr
    assert "undefined" in done.stderr
    assert images.names() == before


def test_a_step_that_fails_is_named_and_what_was_built_before_it_is_removed(
    images: BuiltImages, tmp_path: Path
) -> None:
    """Grafana comes last: its image is built on one that is not there."""
    before = images.names()
    done = images.deploy.run(
        *("images", "build", "cluster", "--binaries", str(images.binaries), "--base-image", BASE),
        *("--grafana-image", "127.0.0.1:1/none:1.0.0", "--build-arg", "DSQL_PORT=5433"),
        check=False,
        timeout=600,
    )
    assert done.returncode == 3
    assert "127.0.0.1:1/none:1.0.0 for amd64 is not here, and cannot be pulled" in done.stderr
    assert "DSQL_PORT=5433 will not work" in done.stderr
    assert images.names() == before


def test_ctrl_c_leaves_no_image(images: BuiltImages, tmp_path: Path) -> None:
    before = images.names()
    tree = source_tree.make(tmp_path / "tree")
    command = [
        *images.deploy.command,
        *("images", "build", "cluster", "--source", str(tree), "--base-image", BASE),
        *("--image", "runtime", "--image", "server", "--image", "benchmark"),
    ]
    environ = {**os.environ, **images.deploy.environment}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environ, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "building image runtime" in line:
                process.send_signal(signal.SIGINT)
                break
        said = process.stderr.read()
        assert process.wait(60) == 130, said
    assert images.names() == before


def test_an_image_is_pushed_once_and_named_by_the_digest_that_the_registry_has(
    images: BuiltImages, registry: str
) -> None:
    def pushed(*options: str) -> dict[str, Any]:
        done = images.deploy.run(
            *("images", "push", "cluster", "--registry", f"{registry}/tested"),
            *("--image", "runtime", "--json", *options),
            timeout=300,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    name = images.built["runtime"]["name"].partition(":")[2]
    dry = pushed("--dry-run", "--tag", name)
    assert dry["images"] == []
    assert any(f"push {registry}/tested/temporal-dsql-runtime" in one for one in dry["commands"])
    (first,) = pushed("--tag", name)["images"]
    (second,) = pushed("--tag", name)["images"]
    assert (first["already"], second["already"]) == (False, True)
    assert first["digest"] == second["digest"]
    url = f"http://{registry}/v2/tested/temporal-dsql-runtime/manifests/{first['digest']}"
    kind = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=kind)) as answer:
        assert json.load(answer)["config"]["digest"] == images.built["runtime"]["id"]
    # The name that it is pushed by is the engine's for as long as that takes.
    assert not [one for one in images.names() if one.startswith(registry)]
    there = images.deploy.run("images", "list", "cluster", "--registry", f"{registry}/tested")
    assert first["digest"] in there.stdout


def test_a_tag_that_another_image_has_is_not_moved(images: BuiltImages, registry: str) -> None:
    name = images.built["server"]["name"]
    taken = f"{registry}/taken/{name}"
    images.docker("tag", images.built["benchmark"]["name"], taken)
    images.docker("push", taken)
    images.docker("rmi", taken)
    tag = name.partition(":")[2]
    done = images.deploy.run(
        *("images", "push", "cluster", "--registry", f"{registry}/taken"),
        *("--image", "server", "--tag", tag),
        check=False,
    )
    assert done.returncode == 1
    assert "is another image than the one that was built here" in done.stderr


def test_a_registry_that_wants_a_login_gets_it_for_this_push_alone(
    images: BuiltImages, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ECR does; the engine's own configuration learns nothing of it."""
    for name, value in images.engine.items():
        monkeypatch.setenv(name, value)
    engine = choose("docker")
    tag = images.built["server"]["name"].partition(":")[2]

    def pushed(registry: Registry) -> ImagesPushed:
        request = push.Request("ours", registry, "amd64", ("server",), tag)
        return push.push(request, engine, lambda _: None)

    with pytest.raises(ImageFailed, match="could not be pushed"):
        pushed(Registry(guarded))
    with pytest.raises(ImageFailed, match="does not tell what it holds") as refused:
        pushed(Registry(guarded, user=USER, password="wrong"))  # noqa: S106
    assert "401" in refused.value.cause
    before = Path(images.engine["DOCKER_CONFIG"], "config.json").read_text()
    (one,) = pushed(Registry(guarded, user=USER, password=PASSWORD)).images
    assert not one.already
    assert Path(images.engine["DOCKER_CONFIG"], "config.json").read_text() == before


def test_a_registry_that_does_not_answer_is_said(images: BuiltImages) -> None:
    done = images.deploy.run(
        *("images", "push", "cluster", "--registry", "127.0.0.1:1", "--image", "server"),
        check=False,
    )
    assert done.returncode == 1
    assert "the registry 127.0.0.1:1 does not tell what it holds" in done.stderr


@pytest.mark.needs("buildah")
def test_buildah_does_the_same(images: BuiltImages, registry: str, tmp_path: Path) -> None:
    # Its default driver wants a file system that a container's or a test's folder may not be on.
    own = {
        "STORAGE_DRIVER": "vfs",
        "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
    }
    (tmp_path / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n'
    )
    buildah = shutil.which("buildah")
    assert buildah is not None
    subprocess.run(
        [buildah, "pull", f"docker-archive:{base_image.path('amd64')}"],
        env={**os.environ, **own},
        capture_output=True,
        check=True,
    )
    images.deploy.environment.update(own)
    options = ["--engine", "buildah"]

    def built() -> dict[str, Any]:
        done = images.deploy.run(
            *("images", "build", "cluster", "--binaries", str(images.binaries), *options),
            *("--base-image", f"localhost/{BASE}", "--image", "runtime", "--json"),
            timeout=300,
        )
        (one,) = json.loads(done.stdout)["images"]
        found: dict[str, Any] = one
        return found

    first, second = built(), built()
    assert (first["unchanged"], second["unchanged"]) == (False, True)
    assert first["id"] == second["id"]
    pushed = images.deploy.run(
        *("images", "push", "cluster", "--registry", f"{registry}/buildah", *options),
        *("--image", "runtime", "--json"),
        timeout=300,
    )
    (one,) = json.loads(pushed.stdout)["images"]
    assert one["digest"].startswith("sha256:")

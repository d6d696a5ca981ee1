"""Definitions, arguments and registries of images; what several places say of them is the same."""

import json
import os
import re
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.images import build as cli_build
from temporal_dsql_deploy.cli.images import declared
from temporal_dsql_deploy.errors import ImageFailed, InvalidSetting
from temporal_dsql_deploy.images import arguments, definitions, ecr, elf
from temporal_dsql_deploy.images.base import Contents
from temporal_dsql_deploy.images.registry import Manifest, Registry
from temporal_dsql_deploy.operations.images import build, contexts, push
from temporal_dsql_deploy.operations.images.programs import Programs
from temporal_dsql_deploy.operations.images.result import BuiltImage, PushedImage

ROOT = Path(__file__).parents[3]


def test_the_repositories_are_those_that_terraform_makes() -> None:
    text = (ROOT / "terraform/account/variables.tf").read_text()
    block = text[text.index('variable "image_repositories"') :]
    made = re.findall(r'^    "([\w-]+)",$', block[: block.index("validation")], re.MULTILINE)
    assert {one.repository for one in definitions.IMAGES.values()} == set(made)


def test_a_repository_has_the_life_that_terraform_gives_it() -> None:
    text = (ROOT / "terraform/account/ecr.tf").read_text()
    (rule,) = ecr.LIFECYCLE["rules"]
    for words in (
        f"rulePriority = {rule['rulePriority']}",
        f'description  = "{rule["description"]}"',
        f'tagStatus   = "{rule["selection"]["tagStatus"]}"',  # type: ignore[index]
        f'countType   = "{rule["selection"]["countType"]}"',  # type: ignore[index]
        f"countNumber = {rule['selection']['countNumber']}",  # type: ignore[index]
    ):
        assert words in text, words
    assert 'image_tag_mutability = "IMMUTABLE"' in text
    assert "scan_on_push = true" in text


def test_help_says_what_is_built() -> None:
    assert tuple(definitions.IMAGES) == declared.NAMES
    assert cli_build.BASE_IMAGE == build.BASE_IMAGE
    assert cli_build.GRAFANA_IMAGE == build.GRAFANA_IMAGE


@pytest.mark.parametrize("name", ["server", "benchmark"])
def test_the_base_is_that_of_the_dockerfile(name: str) -> None:
    text = (ROOT / "docker" / name / "Dockerfile").read_text()
    assert f"\nARG BASE_IMAGE={build.BASE_IMAGE}\n" in text


def test_grafana_is_that_of_terraform_and_of_the_dockerfile() -> None:
    text = (ROOT / "docker/grafana/Dockerfile").read_text()
    assert f"\nARG GRAFANA_IMAGE={build.GRAFANA_IMAGE}\n" in text
    version = build.GRAFANA_IMAGE.removeprefix("docker.io/")
    assert f'"{version}"' in (ROOT / "terraform/envs/dev/variables.tf").read_text()


def test_an_image_comes_after_the_one_that_it_is_built_on() -> None:
    names = list(definitions.IMAGES)
    for one in definitions.IMAGES.values():
        assert not one.on or names.index(one.on) < names.index(one.name)
    assert [one.name for one in definitions.with_their_bases(("runtime",))] == ["server", "runtime"]


def test_the_arguments_are_those_of_the_dockerfile() -> None:
    text = (ROOT / "docker/runtime/Dockerfile").read_text()
    assert set(re.findall(r"^ARG (\w+)", text, re.MULTILINE)) == set(arguments.KNOWN)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"DSQL_USERNAME": "temporal_admin"}, "DSQL_USERNAME=temporal_admin will not work"),
        ({"DSQL_DATABASE": "temporal"}, "give postgres"),
        ({"DSQL_PORT": "5433"}, "give 5432"),
        ({"SQL_PLUGIN_NAME": "mysql8"}, "is refused by the entrypoint"),
        ({"OPENSEARCH_ENDPOINT": "https://vpc-x.es.amazonaws.com"}, "is a URL"),
        ({"DSQL_ENDPOINT": "abc.dsql.eu-west-1.on.aws"}, "an image of one cluster alone"),
    ],
)
def test_what_facts_say_against_an_argument_is_said(given_: dict[str, str], words: str) -> None:
    assert any(words in one for one in arguments.warnings(given_))


def test_what_is_right_for_dsql_or_meant_for_postgresql_is_not_spoken_of() -> None:
    right = {"DSQL_PORT": "5432", "DSQL_USERNAME": "admin", "DSQL_DATABASE": "postgres"}
    assert list(arguments.warnings(right)) == []
    other = {"SQL_PLUGIN_NAME": "postgres12_pgx", "DSQL_USERNAME": "temporal"}
    assert list(arguments.warnings(other)) == []


def test_a_host_is_taken_out_of_a_url() -> None:
    made = arguments.usable({"OPENSEARCH_ENDPOINT": "https://vpc-x.es.amazonaws.com:443/"})
    assert made == {"OPENSEARCH_ENDPOINT": "vpc-x.es.amazonaws.com"}
    assert arguments.usable({"OPENSEARCH_ENDPOINT": "vpc-x"}) == {"OPENSEARCH_ENDPOINT": "vpc-x"}


@pytest.mark.parametrize(
    ("text", "plain", "name"),
    [
        ("127.0.0.1:5000", True, "127.0.0.1:5000/x:1"),
        ("localhost:5000/a/b/", True, "localhost:5000/a/b/x:1"),
        ("registry.example.com/team", False, "registry.example.com/team/x:1"),
        ("10.0.0.1:5000", False, "10.0.0.1:5000/x:1"),
    ],
)
def test_a_registry_on_this_machine_alone_has_no_tls(text: str, plain: bool, name: str) -> None:  # noqa: FBT001
    found = Registry.parse(text)
    assert (found.plain, found.name("x", "1")) == (plain, name)


@pytest.mark.parametrize("text", ["", "https://x", "a b", "/x", "127.0.0.1:50x0", "x/Y"])
def test_what_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting):
        Registry.parse(text)


@given(user=st.text(max_size=20), password=st.text(max_size=40))
def test_a_login_is_told_to_the_engine_by_a_file(user: str, password: str) -> None:
    said = json.loads(Registry("r.example.com", user=user, password=password).login())
    assert list(said["auths"]) == (["r.example.com"] if user else [])


@pytest.mark.parametrize("answer", [b"220 mail\r\n", b"HTTP/1.0 200 OK\r\n\r\n<html>"])
def test_what_is_no_registry_is_said_too(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        with pytest.raises(ImageFailed, match="does not tell what it holds"):
            Registry(f"127.0.0.1:{server.getsockname()[1]}").tags("x")
        thread.join()


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="is no host"):
        arguments.usable({"OPENSEARCH_ENDPOINT": "https://[x"})


def image(name: str, number: int, **more: object) -> BuiltImage:
    fields: dict[str, Any] = {
        "id": f"sha256:{number}",
        "architecture": "amd64",
        "size": None,
        "revision": "a" * 40,
        "created": None,
        **more,
    }
    repository = definitions.IMAGES[name].repository
    return BuiltImage(name, f"{repository}:sha-aaaaaaaaaaaa-2026112212000{number}", **fields)


def test_an_image_is_the_one_that_was_built_by_either_digest() -> None:
    one = image("server", 1)
    for held in (Manifest("sha256:m", "sha256:1"), Manifest("sha256:1", "sha256:c")):
        assert push._same(one, "n", "", held) == held.digest
    for held in (Manifest("sha256:m", "sha256:other"), Manifest("sha256:m", "")):
        with pytest.raises(ImageFailed, match="another image"):
            push._same(one, "n", "", held)
    with pytest.raises(ImageFailed, match="another image"):
        push._same(one, "n", "sha256:told", Manifest("sha256:m", "sha256:1"))
    with pytest.raises(ImageFailed, match="not there after"):
        push._same(one, "n", "", None)


def test_what_speaks_against_a_push_is_said() -> None:
    other = image("runtime", 2, revision="b" * 40, baked=["DSQL_ENDPOINT"])
    mixed, baked = push._doubts([image("server", 1), other])
    assert "of different commits" in mixed
    assert "DSQL_ENDPOINT" in baked
    assert list(push._doubts([image("server", 1), image("runtime", 1)])) == []


def test_terraform_names_them_by_digest() -> None:
    pushed = [PushedImage(name, "n", "d", f"r/{name}@sha256:1") for name in definitions.IMAGES]
    assert list(push._variables(pushed)) == [
        'temporal_image = "r/runtime@sha256:1"',
        'temporal_admin_tools_image = "r/admin-tools@sha256:1"',
        'images = { grafana = "r/grafana@sha256:1", benchmark = "r/benchmark@sha256:1" }',
    ]


def test_the_login_of_one_push_knows_which_engine_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, folder = tmp_path / "own", tmp_path / "push"
    (own / "contexts").mkdir(parents=True)
    folder.mkdir()
    (own / "config.json").write_text('{"currentContext": "colima", "auths": {"other": {}}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(own))
    push._log_in(Registry("r.example.com", user="AWS", password="secret"), folder)  # noqa: S106
    said = json.loads((folder / "config.json").read_text())
    assert said["currentContext"] == "colima"
    assert list(said["auths"]) == ["r.example.com"]
    assert (folder / "contexts").resolve() == own / "contexts"


def test_everybody_may_read_what_goes_into_an_image(tmp_path: Path) -> None:
    """Also where nobody but its owner may read what it is made of."""
    program = tmp_path / "temporal-server"
    program.write_text("x")
    program.chmod(0o700)
    context = tmp_path / "context"
    context.mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        made = Programs({"temporal-server": program}, "a")
        contexts.server(context, made, Contents("u", "g", (3, 11), pip=True))
        contexts.readable(context)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in context.rglob("*")}
    assert modes == {
        "bin": 0o755,
        "etc": 0o755,
        "temporal-server": 0o755,
        "passwd": 0o644,
        "group": 0o644,
    }
    assert program.stat().st_mode & 0o777 == 0o700


def test_a_registry_that_is_not_there_is_said() -> None:
    with pytest.raises(ImageFailed, match="does not tell what it holds"):
        Registry("127.0.0.1:1").tags("x")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x7fELF\x02\x01" + bytes(12) + b"\x3e\x00", "amd64"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\x00", "arm64"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\xf3\x00", "machine 0xf3 of ELF"),
        (b"\xcf\xfa\xed\xfe", "no program for Linux"),
        (b"", "no program for Linux"),
    ],
)
def test_the_architecture_of_a_program_is_read(tmp_path: Path, head: bytes, expected: str) -> None:
    (tmp_path / "program").write_bytes(head)
    assert elf.architecture(tmp_path / "program") == expected

"""Definitions, arguments and registries of images; what several places say of them is the same."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.images import build as cli_build
from temporal_dsql_deploy.cli.images import declared
from temporal_dsql_deploy.errors import ImageFailed, InvalidSetting
from temporal_dsql_deploy.images import arguments, definitions, ecr, elf
from temporal_dsql_deploy.images.registry import Registry
from temporal_dsql_deploy.operations.images import build

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


@pytest.mark.parametrize("text", ["", "https://x", "a b", "/x"])
def test_what_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting):
        Registry.parse(text)


@given(user=st.text(max_size=20), password=st.text(max_size=40))
def test_a_login_is_told_to_the_engine_by_a_file(user: str, password: str) -> None:
    said = json.loads(Registry("r.example.com", user=user, password=password).login())
    assert list(said["auths"]) == (["r.example.com"] if user else [])


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

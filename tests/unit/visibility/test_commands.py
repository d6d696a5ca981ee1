"""The verbs of visibility: which environment they are for, and what is asked before a deletion."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.main import app
from temporal_dsql_deploy.cli.visibility import declared
from temporal_dsql_deploy.operations.visibility import ready, repair
from temporal_dsql_deploy.operations.visibility import setup as looking
from temporal_dsql_deploy.visibility import index
from tests.support.deploy import free_ports
from tests.unit.visibility.world import NAME, document, row, seen

ENDPOINT = "https://vpc-x.eu-west-1.es.amazonaws.com"


@pytest.fixture(autouse=True)
def _someone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "DSQL_DEPLOY_OPENSEARCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setattr(terminal, "beside", {})
    monkeypatch.setattr(terminal, "alone", set())


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["visibility", *words])


@pytest.fixture
def ours(tmp_path: Path) -> list[str]:
    """How an environment on ECS is named."""
    file = tmp_path / "ours.toml"
    file.write_text(f'platform = "ecs"\nterraform = "{tmp_path}"\n')
    return ["ours", "--file", str(file)]


def test_the_option_waits_as_long_as_the_operation() -> None:
    assert declared.WAIT == ready.WAIT


def test_an_environment_without_opensearch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    local = run("status", "local")
    assert local.exit_code == 2
    assert "environment local has no OpenSearch [not-for-platform]" in local.output
    database = SimpleNamespace(component="database", running=True)
    platform = SimpleNamespace(instances=lambda: [database])
    monkeypatch.setattr(options, "choose", lambda *_: (None, platform))
    sql = run("status", "cluster")
    assert sql.exit_code == 2
    assert "lists its workflows from SQL" in sql.output
    stopped = SimpleNamespace(component="opensearch", running=False, note="killed by SIGKILL")
    monkeypatch.setattr(platform, "instances", lambda: [database, stopped])
    gone = run("status", "cluster")
    assert gone.exit_code == 1
    assert "does not run [not-running]" in gone.output
    assert "killed by SIGKILL" in gone.output
    both = run("status", "cluster", "--endpoint", ENDPOINT)
    assert both.exit_code == 2
    assert "has an OpenSearch of its own" in both.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--endpoint", ENDPOINT], "--index is not known"),
        (["--endpoint", "https://own.example.com", "--index", NAME], "the region is not known"),
        (["--endpoint", ENDPOINT, "--index", "a*"], "is no name of an index"),
        (["--endpoint", ENDPOINT, "--index", "_all"], "is no name of an index"),
        (["--endpoint", ENDPOINT, "--index", ""], "is no name of an index"),
        (["--endpoint", f"{ENDPOINT}/x", "--index", NAME], "is no URL of an OpenSearch"),
        (["--endpoint", ENDPOINT, "--index", NAME, "--schema", "/nowhere"], "is not the schema"),
    ],
)
def test_what_is_given_wrongly_is_wrong_use(ours: list[str], words: list[str], said: str) -> None:
    for verb in ("status", "setup", "repair"):
        refused = run(verb, *ours, *words)
        assert refused.exit_code == 2
        assert said in refused.output


class Asked:
    """An empty index that cannot be mended, and somebody who is asked about it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: bool | None) -> None:  # noqa: FBT001
        made = document()
        made["settings"] = {}
        found = seen(index={NAME: made}, indices={NAME: row(NAME)})
        self.calls: list[str] = []
        self.lines: tuple[str, ...] = ()

        def ask(_: object, call: Any) -> Any:
            self.calls.append(str(call))
            return {"count": 0, "_shards": {"total": 1, "successful": 1}}

        def confirm(*lines: str) -> bool:
            self.lines = lines
            return bool(answer)

        monkeypatch.setattr("temporal_dsql_deploy.visibility.domain.Domain.ask", ask)
        monkeypatch.setattr(ready, "until_ready", lambda *_, **__: None)
        monkeypatch.setattr(repair, "see", lambda *_: found)
        monkeypatch.setattr(looking, "see", lambda *_: seen())
        monkeypatch.setattr(terminal, "interactive", lambda: answer is not None)
        monkeypatch.setattr(terminal, "confirm", confirm)


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 4), (None, 4)])
def test_an_empty_index_is_deleted_only_after_a_yes(
    ours: list[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: bool | None,  # noqa: FBT001
    code: int,
) -> None:
    asked = Asked(monkeypatch, answer)
    done = run("repair", *ours, "--endpoint", ENDPOINT, "--index", NAME)
    assert done.exit_code == code, done.output
    deleted = [call for call in asked.calls if call.startswith("DELETE")]
    assert deleted == ([f"DELETE /{NAME}"] if answer else [])
    if answer is not None:
        assert any("index.sort.field" in line for line in asked.lines)
    if answer:
        block = asked.calls.index(f'PUT /{NAME}/_settings {{"index.blocks.write": true}}')
        assert block < asked.calls.index(f"DELETE /{NAME}") < asked.calls.index(f"PUT /{NAME}")


def test_repair_looks_after_the_wait_and_a_dry_run_does_not_wait(
    ours: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch, None)
    found = {"red": seen(health="red", template=None), "green": seen(template=None)}
    health = ["red"]
    monkeypatch.setattr(ready, "until_ready", lambda *_, **__: health.append("green"))
    monkeypatch.setattr(repair, "see", lambda *_: found[health[-1]])
    words = ("repair", *ours, "--endpoint", ENDPOINT, "--index", NAME)
    dry = run(*words, "--dry-run")
    assert "cluster health: expected green or yellow, found red" in dry.output
    assert health == ["red"]
    done = run(*words)
    assert done.exit_code == 0, done.output
    (written,) = asked.calls
    assert written.startswith(f"PUT /_template/{index.TEMPLATE} ")


def test_what_is_to_be_typed_next_names_the_same_index(
    ours: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (port,) = free_ports(1)
    endpoint = f"https://127.0.0.1:{port}"
    away = run("status", *ours, "--endpoint", endpoint, "--index", NAME)
    assert away.exit_code == 3
    # The task has its domain from the Terraform.
    assert re.search(r"visibility setup ours --file \S+ --as-task\n", away.output)
    again = terminal.spelled("dsql-deploy visibility repair ENV --dry-run")
    assert again.endswith(f"--endpoint {endpoint} --index {NAME} --dry-run")
    other = terminal.spelled("dsql-deploy visibility status ENV --index another")
    assert other.endswith(f"--endpoint {endpoint} --index another")
    assert "--endpoint" not in terminal.spelled("dsql-deploy plan ENV, then apply")

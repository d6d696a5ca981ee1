"""The command line without a cluster: help, completion, wrong use, speed of what it imports."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.main import EXIT_CODES, app
from temporal_dsql_deploy.environments.file import EnvironmentFile
from tests.support.deploy import COMMAND

ROOT = Path(__file__).parents[2]


def test_without_a_verb_it_helps() -> None:
    result = CliRunner().invoke(app, [])
    assert "Usage: dsql-deploy" in result.output


def test_an_unknown_verb_is_wrong_use() -> None:
    result = CliRunner().invoke(app, ["upp"])
    assert result.exit_code == 2
    assert "upp" in result.output


def test_the_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.strip() == "0.1.0"


def test_help_imports_nothing_heavy() -> None:
    """--help stays fast because of this; benchmarks/run.py measures it."""
    code = (
        "import sys; import temporal_dsql_deploy.cli.main;"
        "print(*{'pydantic', 'temporalio', 'rich', 'psutil', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [("dsql-deploy st", "status"), ("dsql-deploy up lo", "local"), ("dsql-deploy up mi", "mine")],
)
def test_the_shell_completes_verbs_and_environments(
    tmp_path: Path, words: str, expected: str
) -> None:
    folder = tmp_path / "dsql-deploy" / "environments"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("")
    completed = subprocess.run(
        [str(COMMAND)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "XDG_CONFIG_HOME": str(tmp_path),
            "_DSQL_DEPLOY_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
    )
    assert expected in completed.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown_for_a_shell(shell: str) -> None:
    # Typer asks which shell it was started from, and these tests may be run from any.
    done = subprocess.run(
        [str(COMMAND), "--show-completion", shell],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "_DSQL_DEPLOY_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up", "--search-attribute", "A"], "has to be a name, an equals sign and a value"),
        (["up", "--search-attribute", "A=Text2"], "the types are Text, Keyword"),
        (["up", "--dynamic-config-value", "a.b=text"], "is not JSON"),
        (["up", "--dynamic-config-value", "a b=1"], "looks like limit.maxIDLength"),
        (["up", "--namespace", "-x"], "a namespace starts with"),
        (["up", "--port", "0"], "0"),
        (["up", "--port", "70000"], "70000"),
        (["logs", "--level", "loud"], "debug, info, warn, error"),
    ],
)
def test_wrong_values_are_wrong_use(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*arguments, "--data-dir", str(tmp_path / "data")])
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("verb", ["open", "doctor"])
def test_a_verb_that_is_not_for_ecs_says_which_are(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "dev"])
    assert result.exit_code == 2
    assert "does not work on ecs, the platform of environment dev [not-for-platform]" in (
        result.output
    )
    assert f"the verbs that do: {', '.join(options.ON_ECS)}" in result.output
    assert set(options.ON_ECS) <= set(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "local"], "has no Terraform to plan"),
        (["plan", "dev", "--offline", "--out", "x"], "do not go together"),
        (["plan", "dev", "--plan", "x", "--offline"], "goes with none of"),
        (["plan", "dev", "--plan", "nothing.json"], "cannot be read"),
    ],
)
def test_plan_refuses_what_makes_no_sense(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert said in result.output


WORDS = st.sampled_from(
    [
        *["local", "nowhere", "", "-", "--", "ui", "--json", "--help", "--dry-run", "--tail", "3"],
        *["--level", "warn", "--component", "history", "--namespace", "x", "--port", "-1", "é\n"],
    ]
)
VERBS = st.sampled_from(["up", "down", "destroy", "status", "logs", "open", "probe", "doctor"])


@given(verb=VERBS, words=st.lists(WORDS, max_size=5))
def test_any_command_line_ends_with_a_known_exit_code_and_no_traceback(
    tmp_path_factory: pytest.TempPathFactory, verb: str, words: list[str]
) -> None:
    """Nothing is started: the data directory leads through a file, or it is a dry run."""
    file = tmp_path_factory.mktemp("x") / "file"
    file.write_text("")
    result = CliRunner().invoke(app, [verb, "--data-dir", str(file / "data"), *words])
    assert result.exit_code in EXIT_CODES
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_the_ports_that_help_repeats_are_those_of_the_topology() -> None:
    house = topology.load()
    ports = house.roles["frontend"].ports
    ui = ports["grpc"] + house.embedded_ui_port_offset
    help_text = CliRunner().invoke(app, ["up", "--help"]).output
    assert f"[{ports['grpc']}]" in help_text
    assert f"[{ports['http']}]" in help_text
    assert f"[{house.metrics_port}]" in help_text
    assert (
        f"[frontend + {house.embedded_ui_port_offset}; {house.ui_port} with cluster]" in help_text
    )
    for page in ("README.md", "docs/guides/local.md"):
        text = (ROOT / page).read_text()
        assert f":{ports['grpc']}" in text
        assert f":{ui}" in text
    guide = (ROOT / "docs/guides/cluster.md").read_text()
    rows = {"database": house.externals["database"].ports, "ui": {"http": house.ui_port}}
    rows["opensearch"] = house.opensearch_ports
    rows |= {f"{name}-1": role.ports for name, role in house.roles.items()}
    for name, listens in rows.items():
        row = next(line for line in guide.splitlines() if line.startswith(f"| `{name}`"))
        assert set(map(str, listens.values())) <= set(re.findall(r"\b\d{4}\b", row)), row
    described = EnvironmentFile.model_json_schema()["properties"]["ports"]["description"]
    frontend, offset = ports["grpc"], house.embedded_ui_port_offset
    numbers = (frontend, offset, house.ui_port, ports["http"], house.metrics_port)
    assert re.findall(r"\d+", described) == [str(number) for number in numbers]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_traceback(closed: str, tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "dsql-deploy"
    line = f'"$0" status nobody {closed} || exit $?'
    for command in (line, line.replace("status nobody", "--version")):
        done = subprocess.run(
            ["sh", "-c", command, str(program)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == (3 if "nobody" in command else 0)

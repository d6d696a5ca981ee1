"""Environments: how they are found, read and refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.environments import find
from temporal_dsql_deploy.environments.file import EnvironmentFile, rejected
from temporal_dsql_deploy.environments.model import Environment, retention_seconds
from temporal_dsql_deploy.errors import DeployError, InvalidSetting, UnknownEnvironment


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", find.FOLDER_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    work = tmp_path / "work" / "deep"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def test_local_is_built_in(home: Path) -> None:
    assert find.find("local") == Environment(name="local")
    assert find.known() == ["bench", "cluster", "dev", "local", "prod"]


def test_a_file_is_found_in_a_parent_then_in_the_configuration_directory(home: Path) -> None:
    near = write(home / "work" / "environments", "mine", "data_dir = 'data'\n[ports]\nfrontend = 1")
    write(home / "home" / ".config" / "dsql-deploy" / "environments", "mine", "")
    far = write(home / "home/.config/dsql-deploy/environments", "far", "data_dir = 'x'")
    mine = find.find("mine")
    assert (mine.data_dir, mine.ports) == (near.parent / "data", {"frontend": 1})
    assert find.find("far").data_dir == far.parent / "x"
    assert {"far", "local", "mine"} <= set(find.known())


def test_the_folder_that_a_variable_names_comes_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / "work" / "environments", "mine", "[ports]\nfrontend = 1")
    write(home / "named", "mine", "[ports]\nfrontend = 2")
    monkeypatch.setenv(find.FOLDER_VARIABLE, str(home / "named"))
    assert find.find("mine").ports["frontend"] == 2
    monkeypatch.setenv(find.FOLDER_VARIABLE, "")
    assert find.find("mine").ports["frontend"] == 1


def test_paths_in_a_file_start_at_the_file(home: Path) -> None:
    path = write(home / "elsewhere", "x", 'data_dir = "data"\ntemporal_binary = "/bin/temporal"')
    found = find.find("x", file=path)
    assert found.data_dir == home / "elsewhere" / "data"
    assert found.temporal_binary == Path("/bin/temporal")


def test_an_unknown_name_lists_the_known_ones_and_guesses(home: Path) -> None:
    with pytest.raises(UnknownEnvironment) as caught:
        find.find("locla")
    assert "known environments: bench, cluster, dev, local, prod" in caught.value.cause
    assert "did you mean local?" in caught.value.fix
    assert str(Path.cwd() / "environments") in caught.value.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("account = 123456789012", "12 digits of an AWS account in quotes"),
        ("terraform = 3", "a path, in quotes"),
        ("var_files = 'x'", "a list"),
        ("ports = 3", "a table of names and values"),
        ("colour = 1", "no such setting"),
    ],
)
def test_wrong_types_are_told_in_words_of_toml(home: Path, text: str, said: str) -> None:
    path = write(home, "x", f'platform = "ecs"\n{text}')
    with pytest.raises(InvalidSetting) as caught:
        find.find("x", file=path)
    assert said in caught.value.cause


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ports = 3", "ports is not right"),
        ("[ports]\nfrontend = 70000", "ports.frontend is not right"),
        ("colour = 1", "colour is not right"),
        ('platform = "moon"', "platform is not right"),
        ('terraform = "x"', "terraform is not right"),
        ('account = "123456789012"', "account is not right"),
        ("[replicas]\nhistory = 2", "replicas is not right"),
        ('platform = "cluster"\n[replicas]\nhistory = 0', "replicas.history is not right"),
        ('platform = "cluster"\n[replicas]\nui = 2', "replicas.ui is not right"),
        ("network = 12", "network is not right"),
        ('platform = "ecs"\naccount = "12"', "account is not right"),
        ("[namespaces.x]\nretention = '3 days'", "namespaces.x.retention is not right"),
        ("[namespaces.x]\nretention = '10m'", "namespaces.x.retention is not right"),
        ("[search_attributes]\nA = 'Keywrod'", "search_attributes.A is not right"),
        ("[dynamic_config]\n'a b' = 1", "dynamic_config.a b is not right"),
        ("[dynamic_config]\nlimit.maxIDLength = 255", "dynamic_config.limit is not right"),
        ("[namespaces.'-x']", "namespaces.-x is not right"),
        ("x = ", "not a TOML file"),
        ("name = 'other'", "name is not right"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(home: Path, text: str, said: str) -> None:
    path = write(home, "x", text)
    with pytest.raises(InvalidSetting, match=said):
        find.find("x", file=path)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "é"])
def test_a_name_that_would_lead_elsewhere_is_no_environment(home: Path, name: str) -> None:
    path = write(home, "x", "")
    with pytest.raises(UnknownEnvironment):
        find.find(name, file=path)


def test_a_file_that_is_not_there_is_an_error(home: Path) -> None:
    with pytest.raises(UnknownEnvironment, match="cannot be read"):
        find.find("x", file=home / "nothing.toml")


def test_an_xdg_variable_that_is_relative_is_ignored(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert find.state_directory("x") == home / "home/.local/state/dsql-deploy/x"
    monkeypatch.setenv("XDG_STATE_HOME", "/absolute")
    assert find.state_directory("x") == Path("/absolute/dsql-deploy/x")


toml_values = st.recursive(
    st.integers(-10, 70000) | st.booleans() | st.text(max_size=8) | st.sampled_from(["72h", "Int"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
keys = st.sampled_from(
    ["platform", "data_dir", "ports", "namespaces", "search_attributes", "dynamic_config", "x"]
)


@given(data=st.dictionaries(keys, toml_values))
def test_any_settings_are_read_or_refused_in_words(data: dict[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        EnvironmentFile.model_validate(data)
    except ValidationError as error:
        refused = rejected(error, Path("x.toml"))
        assert isinstance(refused, DeployError)
        assert refused.message
        assert refused.cause


@given(count=st.integers(1, 10**6), unit=st.sampled_from("mhd"))
def test_a_retention_is_a_number_of_seconds(count: int, unit: str) -> None:
    expected = count * {"m": 60, "h": 3600, "d": 86400}[unit]
    if expected >= 3600:
        assert retention_seconds(f"{count}{unit}") == expected
    else:
        with pytest.raises(ValueError, match="one hour"):
            retention_seconds(f"{count}{unit}")


def test_environments_on_aws_are_built_in(home: Path) -> None:
    dev = find.find("dev")
    assert dev.platform == "ecs"
    assert dev.terraform == Path(find.__file__).parents[3] / "terraform/envs/dev"


def test_the_terraform_of_a_parent_comes_before_the_checkout(home: Path) -> None:
    folder = home / "work/terraform/envs/dev"
    folder.mkdir(parents=True)
    assert find.find("dev").terraform != folder
    (folder / "main.tf").write_text("")
    assert find.find("dev").terraform == folder


def test_without_a_checkout_there_is_no_dev(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_CHECKOUT", home)
    assert find.known() == ["cluster", "local"]
    with pytest.raises(UnknownEnvironment, match="no Terraform of environment 'dev'") as caught:
        find.find("dev")
    assert 'platform = "ecs"' in caught.value.fix


def test_a_file_says_where_the_terraform_is(home: Path) -> None:
    text = 'platform = "ecs"\nterraform = "../tf"\naccount = "123456789012"\nvar_files = ["a"]'
    path = write(home / "elsewhere", "staging", text)
    found = find.find("staging", file=path)
    assert (found.platform, found.account) == ("ecs", "123456789012")
    assert found.terraform == path.parent / "../tf"
    assert found.var_files == (path.parent / "a",)


def test_a_file_of_a_built_in_environment_changes_what_it_speaks_of(home: Path) -> None:
    path = write(home / "elsewhere", "dev", 'account = "123456789012"')
    found = find.find("dev", file=path)
    assert (found.platform, found.account) == ("ecs", "123456789012")
    assert found.terraform == find.terraform_folder("dev")


def test_options_replace_and_add() -> None:
    base = Environment("x", ports={"frontend": 1, "ui": 2}, namespaces={"a": "72h"})
    changed = base.with_options(ports={"frontend": 5, "ui": None}, namespaces=["a", "b"])
    assert changed.ports == {"frontend": 5, "ui": 2}
    assert changed.namespaces == {"a": "72h", "b": None}
    assert changed.probe_namespace == "a"
    assert base.with_options() == base

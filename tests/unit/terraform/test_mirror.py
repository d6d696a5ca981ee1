"""Where providers come from: what the user says, then where mirrors use to be, then the network."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.terraform import mirror


def filled(folder: Path) -> Path:
    (folder / "registry.terraform.io" / "hashicorp" / "aws").mkdir(parents=True)
    return folder


def test_the_option_wins_then_the_variable(tmp_path: Path) -> None:
    one, two = filled(tmp_path / "one"), filled(tmp_path / "two")
    environment = {mirror.VARIABLE: str(two)}
    assert mirror.find(one, environment=environment).mirror == one
    assert mirror.find(environment=environment).mirror == two


def test_a_configuration_that_installs_is_left_alone(tmp_path: Path) -> None:
    config = tmp_path / ".terraformrc"
    config.write_text('provider_installation {\n  direct {}\n}\ncredentials "x" {}\n')
    folders = [filled(tmp_path / "opt")]
    found = mirror.find(environment={"HOME": str(tmp_path)}, folders=folders)
    assert (found.mirror, found.over_network) == (None, False)
    assert str(config) in found.words
    config.write_text('credentials "x" {}\n')
    found = mirror.find(environment={"HOME": str(tmp_path)}, folders=folders)
    assert found.mirror == folders[0]
    named = {"TF_CLI_CONFIG_FILE": str(tmp_path / "nothing"), "HOME": str(tmp_path)}
    assert mirror.configuration_file(named) is None


def test_the_first_folder_with_providers_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    folders = [tmp_path / "nothing", tmp_path / "empty", filled(tmp_path / "full")]
    assert mirror.find(environment={}, folders=folders).mirror == tmp_path / "full"
    assert mirror.find(environment={}, folders=folders[:2]).over_network


def test_a_folder_that_is_no_mirror_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="no mirror") as caught:
        mirror.find(tmp_path, environment={})
    assert "terraform providers mirror" in caught.value.fix


def test_the_configuration_keeps_what_the_user_has(tmp_path: Path) -> None:
    text = mirror.cli_configuration(filled(tmp_path), 'credentials "x" {}')
    assert text.startswith('credentials "x" {}')
    assert f'path    = "{tmp_path}"' in text
    assert text.count('["registry.terraform.io/hashicorp/aws"]') == 2


def test_a_configuration_is_written_only_for_a_mirror(tmp_path: Path) -> None:
    with mirror.configured(mirror.Source("x")) as variables:
        assert variables == {}
    with mirror.configured(mirror.Source("x", filled(tmp_path))) as variables:
        path = Path(variables["TF_CLI_CONFIG_FILE"])
        assert str(tmp_path) in path.read_text()
    assert not path.exists()

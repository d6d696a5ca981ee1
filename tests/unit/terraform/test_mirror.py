"""Where providers come from: what the user says, then where mirrors use to be, then the network."""

import os
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


OWN = """credentials "x" {
  token = "} provider_installation {"
}
# provider_installation {
provider_installation {
  filesystem_mirror { # }
    path = "/theirs"
  }
}
plugin_cache_dir = "/cache"
"""


def test_a_mirror_that_is_named_wins_over_what_the_configuration_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "rc"
    config.write_text(OWN)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    named = mirror.find(filled(tmp_path / "named"))
    with mirror.configured(named) as variables:
        text = Path(variables["TF_CLI_CONFIG_FILE"]).read_text()
    assert "/theirs" not in text
    assert text.startswith(OWN.partition("provider_installation {\n  f")[0])
    assert 'plugin_cache_dir = "/cache"' in text
    assert str(named.mirror) in text


def test_a_comment_installs_nothing(tmp_path: Path) -> None:
    (tmp_path / ".terraformrc").write_text("/*\nprovider_installation {}\n*/\n")
    folders = [filled(tmp_path / "opt")]
    assert mirror.find(environment={"HOME": str(tmp_path)}, folders=folders).mirror == folders[0]


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    config = tmp_path / ".terraformrc"
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidSetting, match="cannot be read") as caught:
        mirror.find(environment={"HOME": str(tmp_path)}, folders=[])
    assert str(config) in caught.value.message


def test_a_configuration_in_json_is_left_to_terraform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "rc"
    config.write_text('{"plugin_cache_dir": "/cache"}')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    monkeypatch.delenv(mirror.VARIABLE, raising=False)
    folder = filled(tmp_path / "mirror")
    assert str(config) in mirror.find(folders=[folder]).words
    with (
        pytest.raises(InvalidSetting, match="cannot be told"),
        mirror.configured(mirror.find(folder)),
    ):
        pass


def test_a_folder_that_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "opt" / "mirror"
    folder.mkdir(parents=True)
    for path in (tmp_path, folder.parent, folder):
        path.chmod(0o755)
    assert mirror.trusted(folder, top=tmp_path)
    for path, mode in ((folder, 0o775), (folder.parent, 0o757)):
        path.chmod(mode)
        assert not mirror.trusted(folder, top=tmp_path)
        path.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    (folder.parent / "link").symlink_to(elsewhere)
    assert not mirror.trusted(folder.parent / "link", top=tmp_path)


def test_a_folder_of_somebody_else_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def of_another(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = real(path, follow_symlinks=follow_symlinks)
        return os.stat_result([*found[:4], 4711, *found[5:10]])

    tmp_path.chmod(0o755)
    assert mirror.trusted(tmp_path, top=tmp_path)
    monkeypatch.setattr(Path, "stat", of_another)
    assert not mirror.trusted(tmp_path, top=tmp_path)


def test_the_search_takes_only_what_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "_SHARED", (tmp_path,))
    folder = filled(tmp_path / "providers")
    for answer in (True, False):
        monkeypatch.setattr(mirror, "trusted", lambda _folder, answer=answer: answer)
        assert (folder in mirror._searched()) is answer


def test_only_a_mirror_that_nobody_named_is_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "registry.terraform.io" / "hashicorp" / "aws").mkdir(parents=True)
    found = mirror.find(environment={}, folders=[tmp_path])
    assert found.event is not None
    assert f"the mirror {tmp_path}, which was found by search" in found.event.text
    assert mirror.find(tmp_path, environment={}).event is None
    assert mirror.find(environment={}, folders=[]).event is None

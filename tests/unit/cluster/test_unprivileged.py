"""How root runs what refuses to run as root, in containers too."""

import os
import pwd
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.errors import BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import opensearch, postgresql, unprivileged
from temporal_dsql_deploy.platforms.cluster.layout import Place

ALL = "000001ffffffffff"
DOCKER = "00000000a80425fb"
"""What `docker run` gives: dac_override and setpcap, and not dac_read_search."""
PLACE = Place("opensearch", "opensearch", "127.11.0.3", {"http": 9200, "transport": 9300})
SECURE = "--securebits=+no_setuid_fixup"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This is root; the file is what says which capabilities it has."""
    setpriv = tmp_path / "bin" / "setpriv"
    setpriv.parent.mkdir()
    setpriv.write_text("")
    setpriv.chmod(0o755)
    monkeypatch.setenv("PATH", str(setpriv.parent))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    status = tmp_path / "status"
    monkeypatch.setattr(unprivileged, "_STATUS", status)
    return status


def give(root: Path, permitted: str) -> None:
    root.write_text(f"Name:\tpython\nCapInh:\t{ALL}\nCapPrm:\t{permitted}\nCapEff:\t{ALL}\n")


def without(*names: str) -> str:
    """All capabilities but these."""
    lost = sum(1 << unprivileged._BITS[name] for name in names)
    return f"{int(ALL, 16) & ~lost:016x}"


@pytest.mark.parametrize(
    ("permitted", "kept"), [(ALL, "dac_read_search"), (DOCKER, "dac_override")]
)
def test_opensearch_keeps_the_least_that_root_has(
    root: Path, tmp_path: Path, permitted: str, kept: str
) -> None:
    give(root, permitted)
    command = opensearch.command(tmp_path, tmp_path, PLACE)
    assert command[: command.index(str(tmp_path / "bin" / "opensearch"))] == [
        str(tmp_path / "bin" / "setpriv"),
        f"--reuid={pwd.getpwnam('nobody').pw_uid}",
        f"--regid={pwd.getpwnam('nobody').pw_gid}",
        "--clear-groups",
        f"--inh-caps=-all,+{kept}",
        f"--ambient-caps=+{kept}",
        SECURE,
        "--pdeathsig=TERM",
    ]


def test_what_takes_another_capability_is_left_out(root: Path) -> None:
    give(root, without("dac_read_search"))
    assert SECURE in postgresql.user_prefix()
    give(root, without("setpcap"))
    assert not any(word.startswith("--securebits") for word in postgresql.user_prefix())


@pytest.mark.parametrize(
    ("lacking", "asked"),
    [
        (("dac_read_search", "dac_override"), "--cap-add DAC_READ_SEARCH"),
        (("setuid", "setgid"), "--cap-add SETUID --cap-add SETGID"),
        # Else it ends with: modules directory not found.
        (("setpcap",), "--cap-add SETPCAP"),
    ],
)
def test_root_that_cannot_is_told_what_it_lacks(
    root: Path, tmp_path: Path, lacking: tuple[str, ...], asked: str
) -> None:
    give(root, without(*lacking))
    with pytest.raises(BinaryUnusable, match="OpenSearch cannot be run") as refused:
        opensearch.command(tmp_path, tmp_path, PLACE)
    assert refused.value.fix.endswith(f"docker run {asked}")
    assert lacking[0] in refused.value.cause


def test_who_is_not_root_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged.prefix("PostgreSQL", signal.SIGINT, ["dac_override"]) == []


def test_what_a_link_points_to_is_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def chown(
        path: Any, uid: int, _: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> None:
        assert uid == pwd.getpwnam("nobody").pw_uid
        at = os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        given.extend(name for name, inode in inodes.items() if inode == at.st_ino)

    data, others = tmp_path / "data", tmp_path / "others"
    for folder in (data / "nodes", others):
        folder.mkdir(parents=True)
        (folder / "file").write_text("")
    (data / "link").symlink_to(others / "file")
    (data / "nodes" / "folder").symlink_to(others)
    inodes = {
        str(path.relative_to(tmp_path)): path.lstat().st_ino
        for path in (data, *data.rglob("*"), others, *others.rglob("*"))
    }
    monkeypatch.setattr(os, "chown", chown)
    unprivileged.give(data)
    assert sorted(given) == [
        *("data", "data/link", "data/nodes", "data/nodes/file", "data/nodes/folder")
    ]

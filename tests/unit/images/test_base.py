"""What an image has to hold that others are built on, seen in an archive of its files."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import ImageUnusable
from temporal_dsql_deploy.images import base

USERS = "root:x:0:0:root:/root:/bin/bash\n"
GROUPS = "root:x:0:\n"
GOOD = {
    "usr/local/bin/python3": b"",
    "usr/local/bin/python3.11": b"ELF",
    "etc/ssl/certs/ca-certificates.crt": b"CERTIFICATE",
    "etc/passwd": USERS.encode(),
    "etc/group": GROUPS.encode(),
}


def archive(folder: Path, files: dict[str, bytes], prefix: str = "") -> Path:
    path = folder / "files.tar"
    with tarfile.open(path, "w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(prefix + name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return path


def test_dsql_deploy_takes_a_newer_python_with_pip(tmp_path: Path) -> None:
    with pytest.raises(ImageUnusable, match="cannot be installed") as refused:
        base.check_tool("it", base.contents("it", archive(tmp_path, GOOD)))
    assert "without pip" in refused.value.cause
    pip = {"usr/local/lib/python3.11/site-packages/pip/__init__.py": b""}
    base.check_tool("it", base.contents("it", archive(tmp_path, {**GOOD, **pip})))
    old = {name.replace("3.11", "3.10"): content for name, content in {**GOOD, **pip}.items()}
    with pytest.raises(ImageUnusable, match="cannot be installed"):
        base.check_tool("it", base.contents("it", archive(tmp_path, old)))


@pytest.mark.parametrize("prefix", ["", "./"])
def test_a_user_1000_is_added_where_nobody_is(tmp_path: Path, prefix: str) -> None:
    found = base.contents("it", archive(tmp_path, GOOD, prefix))
    assert found.passwd == f"{USERS}temporal:x:1000:1000::/etc/temporal:/usr/sbin/nologin\n"
    assert found.group == f"{GROUPS}temporal:x:1000:\n"


def test_a_user_1000_that_is_there_stays(tmp_path: Path) -> None:
    there = b"root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh"
    found = base.contents("it", archive(tmp_path, {**GOOD, "etc/passwd": there}))
    assert found.passwd == f"{there.decode()}\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"usr/local/bin/python3": None}, "it has no Python"),
        ({"usr/local/bin/python3.11": None, "usr/local/bin/python3.8": b""}, "is too old"),
        ({"etc/ssl/certs/ca-certificates.crt": None}, "it has no CA certificates"),
        ({"etc/ssl/certs/ca-certificates.crt": b""}, "it has no CA certificates"),
        ({"etc/passwd": b"temporal:x:7:7::/:/bin/sh\n"}, "a user temporal with another uid"),
    ],
)
def test_what_lacks_something_is_refused_with_what_it_is(
    tmp_path: Path, change: dict[str, bytes | None], message: str
) -> None:
    files = {name: content for name, content in {**GOOD, **change}.items() if content is not None}
    with pytest.raises(ImageUnusable, match=message) as refused:
        base.contents("it", archive(tmp_path, files))
    assert "--base-image" in refused.value.fix


def test_certificates_of_other_distributions_count(tmp_path: Path) -> None:
    files = {name: content for name, content in GOOD.items() if "ssl" not in name}
    base.contents("it", archive(tmp_path, {**files, "etc/pki/tls/certs/ca-bundle.crt": b"x"}))


_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True).filter(lambda one: one != "temporal")


@given(users=st.dictionaries(_NAMES, st.integers(0, 65_534), max_size=8))
def test_there_is_one_user_1000_whoever_else_there_is(
    tmp_path_factory: pytest.TempPathFactory, users: dict[str, int]
) -> None:
    text = "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in users.items())
    folder = tmp_path_factory.mktemp("base")
    found = base.contents("it", archive(folder, {**GOOD, "etc/passwd": text.encode()}))
    lines = [line.split(":") for line in found.passwd.splitlines()]
    assert found.passwd.startswith(text)
    assert sum(line[2] == "1000" for line in lines) == max(1, list(users.values()).count(1000))

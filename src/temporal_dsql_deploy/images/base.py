"""What an image has to hold that others are built on: Python, CA certificates, room for a user."""

import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import ImageUnusable

UID = 1000
USER = "temporal"
_HOME = "/etc/temporal"
_OLDEST_PYTHON = (3, 9)
"""Of the entrypoint, src/temporal_dsql_deploy/runtime."""
_OF_THE_TOOL = (3, 11)
"""Of dsql-deploy itself."""
_PIP = re.compile(r"usr/(local/)?lib/python3[\d.]*/(site|dist)-packages/pip/__init__.py")
_PYTHON = re.compile(r"(usr/local/bin|usr/bin|bin)/python3")
_VERSIONED = re.compile(r"(?:usr/local/bin|usr/bin|bin)/python(3)\.(\d+)")
_CERTIFICATES = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/cert.pem",
)
"""Where Go looks for them (crypto/x509, root_linux.go)."""
_FIX = "name another with --base-image; what it has to hold: docs/guides/images.md"


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an image, as far as it matters for others."""

    passwd: str
    """/etc/passwd, with the user 1000 where nobody was."""
    group: str
    python: tuple[int, int]
    pip: bool


def contents(name: str, archive: Path) -> Contents:
    """What an image's own files say. Raises ImageUnusable for one that no image can be built on.

    `archive` is a tar of all its files.
    """
    with tarfile.open(archive) as files:
        members = {member.name.removeprefix("./"): member for member in files}
        python = _python(name, members)
        _certificates(name, members)
        passwd, group = (_text(files, members, f"etc/{part}") for part in ("passwd", "group"))
    pip = any(_PIP.fullmatch(path) for path in members)
    return Contents(_with_user(name, passwd), _with_group(group), python, pip)


def check_tool(name: str, found: Contents) -> None:
    """Refuse an image that dsql-deploy cannot be installed in. Raises ImageUnusable."""
    if found.python >= _OF_THE_TOOL and found.pip:
        return
    version = ".".join(map(str, found.python))
    raise ImageUnusable(
        f"dsql-deploy cannot be installed in {name}",
        cause=f"it takes Python 3.11 with pip, and there is {version}"
        + ("" if found.pip else " without pip"),
        fix=_FIX,
    )


def _python(name: str, members: dict[str, tarfile.TarInfo]) -> tuple[int, int]:
    if not any(_PYTHON.fullmatch(path) for path in members):
        raise ImageUnusable(
            f"{name} has no Python",
            cause="neither /usr/bin nor /usr/local/bin has python3",
            fix=_FIX,
        )
    matches = [match for path in members if (match := _VERSIONED.fullmatch(path))]
    # A program without a version in its name tells none.
    newest = max(((int(one[1]), int(one[2])) for one in matches), default=_OLDEST_PYTHON)
    if newest < _OLDEST_PYTHON:
        version = ".".join(map(str, newest))
        raise ImageUnusable(
            f"the Python of {name} is too old",
            cause=f"it is {version}, and the entrypoint needs 3.9",
            fix=_FIX,
        )
    return newest


def _certificates(name: str, members: dict[str, tarfile.TarInfo]) -> None:
    for path in _CERTIFICATES:
        member = members.get(path)
        if member is not None and (member.size or member.issym() or member.islnk()):
            return
    raise ImageUnusable(
        f"{name} has no CA certificates",
        cause=f"there is no /{_CERTIFICATES[0]}: nothing could verify whom it talks to",
        fix=_FIX,
    )


def _text(files: tarfile.TarFile, members: dict[str, tarfile.TarInfo], path: str) -> str:
    member = members.get(path)
    opened = files.extractfile(member) if member is not None else None
    return opened.read().decode(errors="replace") if opened else ""


def _with_user(name: str, passwd: str) -> str:
    lines = [line.split(":") for line in passwd.splitlines() if line]
    for fields in lines:
        if len(fields) > 3 and fields[2] == str(UID):
            return _ended(passwd)
        if fields[0] == USER:
            raise ImageUnusable(
                f"{name} has a user {USER} with another uid than {UID}",
                cause=f"/etc/passwd says {':'.join(fields[:4])}",
                fix=_FIX,
            )
    return _ended(passwd) + f"{USER}:x:{UID}:{UID}::{_HOME}:/usr/sbin/nologin\n"


def _with_group(group: str) -> str:
    fields = [line.split(":") for line in group.splitlines() if line]
    if any(len(one) > 2 and one[2] == str(UID) for one in fields):
        return _ended(group)
    return _ended(group) + f"{USER}:x:{UID}:\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"

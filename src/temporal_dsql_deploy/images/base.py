"""What an image has to hold that others are built on: Python, certificates, no other user 1000."""

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
class Users:
    """Its users and groups, with the one that the images run as."""

    passwd: str
    group: str


def users(name: str, archive: Path) -> Users:
    """What an image's own files say, with user 1000 added where nobody is. Raises ImageUnusable.

    `archive` is a tar of all its files.
    """
    with tarfile.open(archive) as files:
        members = {member.name.removeprefix("./"): member for member in files}
        _python(name, members)
        _certificates(name, members)
        passwd, group = (_text(files, members, f"etc/{part}") for part in ("passwd", "group"))
    return Users(_with_user(name, passwd), _with_group(group))


def _python(name: str, members: dict[str, tarfile.TarInfo]) -> None:
    named = [found for path in members if (found := _VERSIONED.fullmatch(path))]
    versions = [(int(one[1]), int(one[2])) for one in named]
    if not any(_PYTHON.fullmatch(path) for path in members):
        raise ImageUnusable(
            f"{name} has no Python",
            cause="neither /usr/bin nor /usr/local/bin has python3",
            fix=_FIX,
        )
    if versions and max(versions) < _OLDEST_PYTHON:
        newest = ".".join(map(str, max(versions)))
        raise ImageUnusable(
            f"the Python of {name} is too old",
            cause=f"it is {newest}, and the entrypoint needs 3.9",
            fix=_FIX,
        )


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

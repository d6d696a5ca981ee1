"""A registry of images: what it holds, by the HTTP API of the OCI distribution specification."""

import base64
import http.client
import ipaddress
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.errors import ImageFailed, InvalidSetting

_KINDS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")
_PREFIX = re.compile(r"[a-z0-9._/-]*")
_SECONDS = 30
_MISSING = 404
_ASKS = (401, 403)


class LoginNeeded(Exception):
    """The registry wants to know who asks, and only the engine knows: it has logged in."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Where images are pushed, and as whom."""

    host: str
    """With its port where it is not the usual one."""
    prefix: str = ""
    """What the names of its repositories begin with, ended by a slash."""
    user: str = ""
    password: str = ""

    @classmethod
    def parse(cls, text: str) -> "Registry":
        """HOST[:PORT][/PREFIX]. Raises InvalidSetting."""
        host, _, prefix = text.partition("/")
        if not _HOST.fullmatch(host) or not _PREFIX.fullmatch(prefix):
            raise InvalidSetting(
                f"{text!r} is no registry",
                cause="it is a host, with a port and a prefix of names where it has them",
                fix="for instance --registry registry.example.com/temporal",
            )
        return cls(host, f"{prefix.strip('/')}/" if prefix.strip("/") else "")

    @property
    def plain(self) -> bool:
        """Whether it speaks HTTP without TLS: only on this machine, as for container engines."""
        name = self.host.rpartition(":")[0] if ":" in self.host else self.host
        if name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return False

    def name(self, repository: str, tag: str) -> str:
        """An image by its tag, as an engine names it."""
        return f"{self.host}/{self.prefix}{repository}:{tag}"

    def reference(self, repository: str, digest: str) -> str:
        """An image by its digest, as a task definition names it."""
        return f"{self.host}/{self.prefix}{repository}@{digest}"

    def manifest(self, repository: str, tag: str) -> "Manifest | None":
        """What a tag stands for; None where there is no such. Raises ImageFailed, LoginNeeded."""
        path = f"/v2/{self.prefix}{repository}/manifests/{tag}"
        answer = self._get(path, {"Accept": ", ".join(_KINDS)})
        if answer is None:
            return None
        headers, body = answer
        said = self._document(path, body)
        return Manifest(
            headers.get("Docker-Content-Digest", ""), said.get("config", {}).get("digest", "")
        )

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository; none where it is not there. Raises ImageFailed."""
        path = f"/v2/{self.prefix}{repository}/tags/list"
        answer = self._get(path, {})
        return sorted(self._document(path, answer[1]).get("tags") or []) if answer else []

    def login(self) -> str:
        """The file that an engine reads who logs in from, with a password in it."""
        auth = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        auths = {self.host: {"auth": auth}} if self.user else {}
        return json.dumps({"auths": auths})

    def _get(self, path: str, headers: dict[str, str]) -> tuple[Any, bytes] | None:
        scheme = "http" if self.plain else "https"
        if self.user:
            auth = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers = {**headers, "Authorization": f"Basic {auth}"}
        asked = urllib.request.Request(f"{scheme}://{self.host}{path}", headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
                return answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            # It is an answer too, and holds its connection.
            error.close()
            if error.code == _MISSING:
                return None
            if error.code in _ASKS and not self.user:
                raise LoginNeeded(self.host) from error
            raise self._failed(path, f"{error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(path, str(error) or type(error).__name__) from error

    def _document(self, path: str, body: bytes) -> dict[str, Any]:
        try:
            said = json.loads(body)
        except ValueError as error:
            raise self._failed(path, f"it answers something else than JSON: {error}") from error
        return said if isinstance(said, dict) else {}

    def _failed(self, path: str, said: str) -> ImageFailed:
        return ImageFailed(
            f"the registry {self.host} does not tell what it holds",
            cause=f"{path}: {said}",
            fix="see to the network and the right to read there, then try again",
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a tag of a repository stands for."""

    digest: str
    """By which it is pulled."""
    configuration: str
    """The image's id; empty for an index of several."""

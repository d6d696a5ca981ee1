"""Calls of an OpenSearch: signed with AWS credentials for a domain, as they are on this machine.

Botocore signs, as it does for every other service. A domain's policy lets roles in, so a request
that is not signed is answered 403 (OpenSearch Service developer guide, Managing access).
"""

import ipaddress
import json
import re
import socket
import ssl
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import (
    CredentialsExpired,
    CredentialsMissing,
    DeployError,
    InvalidSetting,
    NotReady,
    OpenSearchUnusable,
    PermissionMissing,
)
from temporal_dsql_deploy.visibility.calls import Call

SIGNING = "sign a request to OpenSearch"
SERVICE = "es"
"""What a request is signed for; that of Serverless is another, which the server cannot sign for."""
_SECONDS = 10.0
"""Of a call, and of each address that is tried: a private domain lets every packet vanish."""
_BUSY = {429, 502, 503, 504}
"""What a domain says that is being made or changed, or has too much to do."""
_UNSIGNED = {401, 403}
_REGION = re.compile(
    r"[.](?:(?P<es>[a-z0-9-]+)[.]es[.]amazonaws[.]com|aos[.](?P<aos>[a-z0-9-]+)[.]on[.]aws)"
)
"""An endpoint is ID.REGION.es.amazonaws.com, or of both address families ID.aos.REGION.on.aws."""


@dataclass(frozen=True, slots=True)
class Domain:
    """An OpenSearch that is reached from here, or is not."""

    url: str
    """Scheme, host, and a port where it is not the scheme's."""
    region: str | None = None
    """The AWS region that requests are signed for; None where nothing is signed."""
    credentials: Any = field(default=None, repr=False)
    """Botocore's, for a region."""

    def ask(self, call: Call) -> Any:
        """The document that a call is answered with.

        Raises OpenSearchUnusable, NotReady while it is busy, PermissionMissing, CredentialsMissing,
        CredentialsExpired.
        """
        try:
            return self._send(call)
        except HTTPError as error:
            with error:
                raise self._refused(call, error.code, error.read()) from error

    def find(self, call: Call) -> Any | None:
        """The same, None where OpenSearch says that there is no such thing."""
        try:
            return self._send(call)
        except HTTPError as error:
            with error:
                said = error.read()
            if error.code == 404:
                return None
            raise self._refused(call, error.code, said) from error

    def _send(self, call: Call) -> Any:
        body = None if call.body is None else json.dumps(call.body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        url = f"{self.url}{call.path}"
        if self.region is not None:
            headers = self._signed(call.method, url, headers, body)
        request = urllib.request.Request(  # noqa: S310 - `parse` has seen to the scheme
            url, data=body, headers=headers, method=call.method
        )
        opener = self._opener()
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                return json.loads(answer.read())
        except HTTPError:
            raise
        except URLError as error:
            raise self._unreached(error.reason) from error
        except ValueError as error:
            raise OpenSearchUnusable(
                f"{self.url} does not answer as OpenSearch does",
                cause=f"to {call.method} {call.path} it says what is no JSON: {error}",
                fix="see who listens there, and that --endpoint names OpenSearch itself",
            ) from error
        except (OSError, HTTPException) as error:
            raise self._unreached(error) from error

    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if is_loopback(self.url):
            handlers.append(urllib.request.ProxyHandler({}))
        if self.url.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=_trust()))
        return urllib.request.build_opener(*handlers)

    def _signed(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        with aws.calling(SIGNING):
            keys = self.credentials.get_frozen_credentials()
            SigV4Auth(keys, SERVICE, self.region).add_auth(request)
        return dict(request.headers.items())

    def _refused(self, call: Call, status: int, body: bytes) -> DeployError:
        """What an answer that is no success is told as."""
        said = _said(body) or "it says nothing more"
        if status in _UNSIGNED:
            return self._forbidden(call, f"{status}: {said}")
        if status in _BUSY:
            return NotReady(
                f"the OpenSearch at {self.url} is not ready",
                cause=f"to {call.method} {call.path} it says {status}: {said}",
                fix="try again when it is: the same command goes on",
            )
        return OpenSearchUnusable(
            f"the OpenSearch at {self.url} refuses a call",
            cause=f"{call.method} {call.path} is answered {status}: {said}",
            fix="correct what it says; the same command goes on",
        )

    def _forbidden(self, call: Call, said: str) -> DeployError:
        if self.region is None:
            return PermissionMissing(
                f"the OpenSearch at {self.url} lets nobody in unasked",
                cause=f"{call.method} {call.path}, which is not signed, is answered {said}",
                fix="name an environment on ECS, whose requests are signed",
            )
        lower = said.lower()
        if "expired" in lower:
            return CredentialsExpired(
                "the AWS credentials have expired", cause=said, fix=aws.NEW_CREDENTIALS
            )
        if "security token" in lower or "signature" in lower:
            return CredentialsMissing(
                "AWS does not know these credentials",
                cause=f"{call.method} {call.path}, signed for {SERVICE} in {self.region}, is "
                f"answered {said}",
                fix=f"{aws.SOME_CREDENTIALS}; and see that the domain is in {self.region}",
            )
        return PermissionMissing(
            "the OpenSearch domain does not let these AWS credentials in",
            cause=f"{call.method} {call.path} is answered {said}",
            fix="its policy names who may: let your role be among opensearch's "
            "operator_principal_arns in the Terraform; or let the task that is named there do it: "
            "dsql-deploy visibility setup ENV --as-task",
        )

    def _unreached(self, reason: object) -> OpenSearchUnusable:
        host = urlsplit(self.url).hostname or ""
        if isinstance(reason, ssl.SSLCertVerificationError):
            return OpenSearchUnusable(
                f"{host} shows a certificate that is not trusted here",
                cause=str(reason.verify_message or reason),
                fix="see who answers in its place; the certificate of a proxy of your own is "
                "named in AWS_CA_BUNDLE",
            )
        cause = _why(reason)
        if self.region is None:
            return OpenSearchUnusable(
                f"the OpenSearch at {self.url} does not answer",
                cause=cause,
                fix="see what became of it: dsql-deploy status ENV",
            )
        private = _private(host)
        if private:
            cause += f"; its address {private} is private, and reached from inside its VPC alone"
        return OpenSearchUnusable(
            f"the OpenSearch domain {host} cannot be reached from here",
            cause=cause,
            fix="come in by the Client VPN; or let a task inside the VPC do it: dsql-deploy "
            "visibility setup ENV --as-task",
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signature is for one host, and OpenSearch sends nobody elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def parse(url: str) -> str:
    """The URL of an OpenSearch as a Domain has it. Raises InvalidSetting."""
    split = _split(url)
    if split is None:
        raise InvalidSetting(
            f"{url.rpartition('@')[2]!r} is no URL of an OpenSearch",
            cause="it has to be https://HOST, with a port if need be, no user, and nothing behind",
            fix="as Terraform tells it: https://$(terraform output -raw opensearch_endpoint)",
        )
    made = f"{split.scheme}://{split.netloc.lower()}"
    if ".aoss." in made:
        raise InvalidSetting(
            f"{split.hostname} is OpenSearch Serverless, which Temporal cannot use",
            cause=f"the server signs its requests for the service {SERVICE}, and Serverless is "
            "another (temporalio/temporal common/persistence/visibility/store/elasticsearch)",
            fix="name a domain of OpenSearch Service",
        )
    if split.scheme == "http" and not is_loopback(made):
        raise InvalidSetting(
            f"{url} would be asked in the clear",
            cause="whoever is on the way could read and change what is said",
            fix=f"https://{split.netloc}; http is for addresses of this machine, such as a proxy "
            "that signs",
        )
    return made


def _split(url: str) -> SplitResult | None:
    """Its parts; None for what is more, or less, than scheme, host and port."""
    try:
        split = urlsplit(url if "://" in url else f"https://{url}")
        _ = split.port
    except ValueError:
        return None
    # What a header cannot carry has no place in a host either.
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]_-]+", split.netloc) or not split.hostname:
        return None
    beyond = split.path.strip("/") or split.query or split.fragment
    return split if split.scheme in {"http", "https"} and not beyond else None


def region_of(url: str) -> str | None:
    """The region that a domain's host name tells, None for a name of one's own."""
    found = _REGION.search(urlsplit(url).hostname or "")
    return found["es"] or found["aos"] if found else None


def is_loopback(url: str) -> bool:
    """Whether it is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trust() -> ssl.SSLContext:
    """Raises InvalidSetting for certificates of one's own that cannot be read."""
    file = aws.authorities()
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise InvalidSetting(
            f"the certificates in {file} cannot be used",
            cause=str(error),
            fix="correct AWS_CA_BUNDLE, or unset it for those that AWS's SDK brings",
        ) from error


def _said(body: bytes) -> str:
    """What the answer of an OpenSearch, or of AWS before it, says of a failure."""
    text = body.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:400]
    if not isinstance(found, dict):
        return text[:400]
    error = found.get("error", found)
    if isinstance(error, dict):
        told = error.get("reason") or error.get("message") or error.get("Message") or text
        return str(told)[:400]
    return str(error)[:400]


def _why(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"it has not answered within {_SECONDS:g} s"
    if isinstance(reason, socket.gaierror):
        return f"its name is not known here ({reason.strerror})"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason)


def _private(host: str) -> str:
    """Its address, where it is one of a private network; empty else."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return ""
    addresses = [ipaddress.ip_address(str(one[4][0])) for one in found]
    if not addresses or not all(one.is_private and not one.is_loopback for one in addresses):
        return ""
    return str(addresses[0])

"""moto as a WSGI application, with the extensions, and with one answer to what neither has.

moto answers an action that it lacks, or one that fails inside it, with HTTP 500. AWS's clients take
that for a passing trouble: the Terraform provider tries again for nine minutes. Here it is HTTP
400, which nobody repeats, naming the service and the action.
"""

import io
import json
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)

from temporal_dsql_deploy.rehearsal.aws import control
from temporal_dsql_deploy.rehearsal.aws.control import Control, Trouble

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORM = "application/x-www-form-urlencoded"
_CALL = "HTTP_AMZ_SDK_INVOCATION_ID"
"""Names a call of an SDK; all attempts at it have the same."""
_TROUBLES = {
    control.THROTTLED: {
        "": ("ThrottlingException", "Rate exceeded"),
        "ec2": ("RequestLimitExceeded", "Request limit exceeded."),
        "query": ("Throttling", "Rate exceeded"),
        "s3": ("SlowDown", "Please reduce your request rate."),
    },
    control.EXPIRED: {
        "": ("ExpiredTokenException", "The security token included in the request is expired"),
        "ec2": ("RequestExpired", "Request has expired."),
        "query": ("ExpiredToken", "The security token included in the request is expired"),
        "s3": ("ExpiredToken", "The provided token has expired."),
    },
    control.TIMED_OUT: {"": ("RequestTimeout", "nobody waits for this answer any more")},
}
"""Code and message by how a service words its errors."""


class RequestHandler(MotoRequestHandler):
    """Keeps quiet about requests: the log is for what went wrong."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class _Dispatcher(DomainDispatcherApplication):
    """Finds the service that a request is for."""

    def get_backend_for_host(self, host: str | None) -> Any:
        """Raises NotImplementedError for a service that moto lacks; moto looks up None for it."""
        backend = super().get_backend_for_host(host)
        if host and backend is None:
            raise NotImplementedError(host)
        return backend


@dataclass(frozen=True, slots=True)
class _Reply:
    status: str
    headers: list[tuple[str, str]]
    body: bytes


def application(controlled: Control) -> "WSGIApplication":
    """Everything that the emulated AWS answers, and what is asked of it beside."""
    moto = _Dispatcher(create_backend_app)
    given = _Given()

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == control.PATH:
            reply, after = _asked_itself(controlled, environ), None
        else:
            reply, after = _answered(_Parts(moto, given, controlled), environ)
        start_response(reply.status, reply.headers)
        return _Body(reply.body, after)

    return answer


@dataclass(frozen=True, slots=True)
class _Parts:
    moto: "WSGIApplication"
    given: "_Given"
    controlled: Control


class _Body:
    """The body of an answer, and what is to be done once it was sent."""

    def __init__(self, body: bytes, after: Callable[[], None] | None) -> None:
        self._body = body
        self._after = after

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    def close(self) -> None:
        """The server has sent it."""
        if self._after is not None:
            self._after()


def _asked_itself(controlled: Control, environ: "WSGIEnvironment") -> _Reply:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status, said = controlled.ask(body)
    answer = json.dumps(said).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    return _Reply("200 OK" if status == 200 else "400 BAD REQUEST", headers, answer)


def _answered(
    parts: _Parts, environ: "WSGIEnvironment"
) -> tuple[_Reply, Callable[[], None] | None]:
    asked, caller = _Asked(environ), str(environ.get("REMOTE_ADDR", ""))
    trouble = parts.controlled.trouble(asked.service, asked.action, caller)
    if trouble is not None and not trouble.done:
        control.hold(trouble)
        return asked.trouble(trouble), None
    reply = parts.given.before(environ)
    after = None
    if reply is None:
        reply = _reply(parts.moto, environ, asked)
        parts.given.keep(environ, reply)
        if reply.status.startswith("2"):
            after = parts.controlled.done(asked.service, asked.action, caller)
    if trouble is not None:
        control.hold(trouble)
        return asked.trouble(trouble), after
    return reply, after


def _reply(moto: "WSGIApplication", environ: "WSGIEnvironment", asked: "_Asked") -> _Reply:
    try:
        status, headers, body = _called(moto, environ)
        if asked.is_unknown(status, headers):
            raise NotImplementedError
    except Exception as error:
        return asked.refuse(error)
    return _Reply(status, headers, body)


def _called(
    moto: "WSGIApplication", environ: "WSGIEnvironment"
) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        started.append((status, headers))
        return lambda _data: None

    parts = moto(environ, start)
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    return *started[-1], body


class _Given:
    """Answers that were given: who asks again for the same call gets the same one.

    The SDK of the Terraform provider closes its request as soon as the answer begins. With an AWS
    so near it then sometimes closes the connection before it has read the answer, and asks again;
    what was made would be made twice, or refused because it exists.
    """

    _KEPT = 1000

    def __init__(self) -> None:
        self._replies: OrderedDict[str, _Reply] = OrderedDict()
        self._lock = threading.Lock()

    def before(self, environ: "WSGIEnvironment") -> _Reply | None:
        """The answer to an earlier attempt at this call, if there was one."""
        with self._lock:
            return self._replies.get(environ.get(_CALL, ""))

    def keep(self, environ: "WSGIEnvironment", reply: _Reply) -> None:
        """Keep an answer; not a refusal, for which asking again is the SDK's own decision."""
        if _CALL not in environ or not reply.status.startswith("2"):
            return
        with self._lock:
            self._replies[environ[_CALL]] = reply
            while len(self._replies) > self._KEPT:
                self._replies.popitem(last=False)


class _Asked:
    """Which action of which service a request asks for, and how that service words an error."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split("/")
        self.service = scope[3] if len(scope) > 3 else "an unknown service"
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        self._is_form = str(environ.get("CONTENT_TYPE", "")).startswith(_FORM)
        if target:
            self.action = target.rpartition(".")[2]
        elif self._is_form:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            self.action = parse_qs(body.decode()).get("Action", ["no action"])[0]
        else:
            query = environ.get("QUERY_STRING")
            path = environ["PATH_INFO"] + (f"?{query}" if query else "")
            self.action = f"{environ['REQUEST_METHOD']} {path}"

    def is_unknown(self, status: str, headers: list[tuple[str, str]]) -> bool:
        """Whether moto had no route: its own "not found" is a web page, except with S3."""
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        return status.startswith("404") and kind.startswith("text/html") and self.service != "s3"

    def refuse(self, error: Exception) -> _Reply:
        """HTTP 400 in the service's own format, and write down why."""
        if isinstance(error, NotImplementedError):
            code = "NotInTheEmulatedAws"
            message = f"the emulated AWS has no {self.service} {self.action}"
        else:
            code = "EmulatedAwsFailed"
            message = f"the emulated AWS failed at {self.service} {self.action}: {error!r}"
            traceback.print_exception(error, file=sys.stderr)
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()
        return self._refusal(code, message)

    def trouble(self, trouble: Trouble) -> _Reply:
        """What a caller hears of a fault that was asked for."""
        known = _TROUBLES[trouble.kind]
        words = self.service if self.service in {"ec2", "s3"} else "query" if self._is_form else ""
        return self._refusal(*known.get(words, known[""]))

    def _refusal(self, code: str, message: str) -> _Reply:
        kind, body = self._worded(code, message)
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("X-Amzn-ErrorType", code),
        ]
        return _Reply("400 BAD REQUEST", headers, body)

    def _worded(self, code: str, message: str) -> tuple[str, bytes]:
        error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        if self.service == "ec2":
            return "text/xml", f"<Response><Errors>{error}</Errors></Response>".encode()
        if self._is_form:
            return "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode()
        if self.service == "s3":
            return "text/xml", error.encode()
        return "application/json", json.dumps({"__type": code, "message": message}).encode()

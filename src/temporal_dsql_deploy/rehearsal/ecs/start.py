"""The emulated ECS is set going in the process of the emulated AWS."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from temporal_dsql_deploy.errors import StartFailed
from temporal_dsql_deploy.rehearsal import settings
from temporal_dsql_deploy.rehearsal.ecs import answers
from temporal_dsql_deploy.rehearsal.ecs.ecs import Ecs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def start(path: Path, made: "WSGIApplication", port: int) -> Ecs:
    """Let ECS start containers, and the application answer them too.

    `path` is the file of the settings. Raises InvalidSetting, BinaryMissing, BinaryUnusable,
    StartFailed.
    """
    from werkzeug.serving import make_server

    from temporal_dsql_deploy.rehearsal.aws.application import RequestHandler

    gateway = settings.read(path).gateway
    try:
        inner = make_server(gateway, port, made, threaded=True, request_handler=RequestHandler)
    except (OSError, SystemExit) as error:
        raise StartFailed(
            f"nothing can listen on {gateway}:{port}",
            cause=f"{error}; the tasks of a rehearsal reach the emulated AWS there",
            fix="let the rehearsal make its network first: dsql-deploy rehearse ENV",
        ) from error
    ecs = Ecs(path, f"http://{gateway}:{port}")
    answers.install(ecs)
    threading.Thread(target=inner.serve_forever, daemon=True).start()
    return ecs

"""The process of the emulated AWS: `python -m temporal_dsql_deploy.rehearsal.aws --port 0`.

Its first line of output is the port that it listens on. It ends when its standard input does: the
one who started it holds the other end, so it cannot outlive them, however they end; with --stays it
ends on SIGTERM only.
"""

import argparse
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from temporal_dsql_deploy.rehearsal.ecs.ecs import Ecs

ADDRESS = "127.0.0.1"
_SETTINGS = {
    # Else moto's dsql exists in two regions only.
    "MOTO_ALLOW_NONEXISTENT_REGION": "true",
    # The AmazonSSMManagedInstanceCore and the like that roles attach.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
}


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="temporal_dsql_deploy.rehearsal.aws")
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free")
    parser.add_argument("--containers", type=Path, help="settings: let ECS start containers")
    parser.add_argument("--stays", action="store_true", help="go on when standard input ends")
    options = parser.parse_args()

    # moto reads them when it is imported.
    os.environ.update(_SETTINGS)
    from temporal_dsql_deploy.errors import DeployError

    try:
        _serve(options)
    except DeployError as error:
        sys.exit(f"{error.message}: {error.cause}. {error.fix}")


def _serve(options: argparse.Namespace) -> None:
    from werkzeug.serving import make_server

    from temporal_dsql_deploy.rehearsal.aws import extensions
    from temporal_dsql_deploy.rehearsal.aws.application import RequestHandler, application
    from temporal_dsql_deploy.rehearsal.aws.control import Control

    extensions.install()
    controlled = Control()
    made = application(controlled)
    server = make_server(ADDRESS, options.port, made, threaded=True, request_handler=RequestHandler)
    held: list[Ecs] = []
    if options.containers is not None:
        from temporal_dsql_deploy.rehearsal.ecs import faults, start

        ecs = start.start(options.containers, made, server.server_port)
        controlled.hand_to(partial(faults.do, ecs))
        held.append(ecs)
    _end_when_told(held, stays=options.stays)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    # moto prints too, and nobody reads on.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    server.serve_forever()


def _end_when_told(held: "list[Ecs]", *, stays: bool) -> None:
    def end(*_: object) -> None:
        for ecs in held:
            ecs.close()
        os._exit(0)

    def with_standard_input() -> None:
        sys.stdin.buffer.read()
        end()

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())
    if not stays:
        threading.Thread(target=with_standard_input, daemon=True).start()


if __name__ == "__main__":
    main()

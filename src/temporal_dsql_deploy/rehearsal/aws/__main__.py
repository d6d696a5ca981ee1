"""The process of the emulated AWS: `python -m temporal_dsql_deploy.rehearsal.aws --port 0`.

Its first line of output is the port that it listens on. It ends when its standard input does: the
one who started it holds the other end, so it cannot outlive them, however they end.
"""

import argparse
import os
import sys
import threading

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
    parser.add_argument("--stay", action="store_true", help="when standard input ends too")
    given = parser.parse_args()
    port = given.port

    # moto reads them when it is imported.
    os.environ.update(_SETTINGS)
    from werkzeug.serving import make_server

    from temporal_dsql_deploy.rehearsal.aws.application import RequestHandler, application

    server = make_server(
        ADDRESS, port, application(), threaded=True, request_handler=RequestHandler
    )
    if not given.stay:
        threading.Thread(target=_end_with_standard_input, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    # moto prints too, and nobody reads on.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    server.serve_forever()


def _end_with_standard_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

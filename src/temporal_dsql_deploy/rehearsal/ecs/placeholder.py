"""What stands in the place of a program that cannot be had: it answers on its ports."""

from temporal_dsql_deploy.rehearsal.ecs.definition import COMPLETE, SUCCESS, Definition, Part

_SERVE = """
import http.server, sys, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"placeholder": true}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_HEAD = do_POST = do_PUT = do_GET
for port in sys.argv[1:]:
    server = http.server.ThreadingHTTPServer(("", int(port)), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
ports = ", ".join(sys.argv[1:])
print("a placeholder " + ("answers on ports " + ports if ports else "runs"), flush=True)
threading.Event().wait()
"""
_ASK = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)"
_PYTHON = "python3"


def played(part: Part, definition: Definition) -> Part:
    """The container as a placeholder plays it, in an image that has python3.

    One that others wait for the end of ends at once; all others go on.
    """
    ends = any(other.after.get(part.name) in {COMPLETE, SUCCESS} for other in definition.parts)
    ports = [str(port) for port in part.ports.values()]
    said = {
        **part.said,
        "entryPoint": [_PYTHON, "-c", "" if ends else _SERVE],
        "command": ports,
        "linuxParameters": {
            **(part.said.get("linuxParameters") or {}),
            # Python handles no signal as the first process of a container.
            "initProcessEnabled": True,
        },
        "healthCheck": None,
    }
    if part.check:
        asked = [_PYTHON, "-c", _ASK, ports[0]] if ports else [_PYTHON, "-c", ""]
        said["healthCheck"] = {**part.said["healthCheck"], "command": ["CMD", *asked]}
    return Part(part.name, part.image, said)

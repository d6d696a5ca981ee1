"""TCP ports of this machine: which are free, and who holds one that is not."""

import errno
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `address:port` now. Raises OSError if it may not at all."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def any_free(address: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment, chosen by the kernel."""
    with socket.socket() as listener:
        listener.bind((address, 0))
        port: int = listener.getsockname()[1]
        return port


def holder(port: int, address: str = "") -> str:
    """Who listens on `port`, for a sentence; says so where the system does not tell.

    With `address`, who listens there or on every address.
    """
    import psutil

    for process in psutil.process_iter(["pid", "name", "username"]):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        for connection in connections:
            here = connection.laddr.ip in {address, "0.0.0.0", "::"} if address else True  # noqa: S104
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and here:
                return f"process {process.info['pid']} ({_describe(process)})"
    hint = "" if os.geteuid() == 0 else f" (as root, `lsof -i :{port}` would tell)"
    return f"a process of another user, which this user may not look at{hint}"


def _describe(process: "psutil.Process") -> str:
    import psutil

    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        command = ""
    return (command or str(process.info["name"]))[:120]

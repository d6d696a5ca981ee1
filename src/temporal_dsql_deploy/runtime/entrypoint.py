"""The entrypoint: check everything, render the configuration, try the stores, become the server."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import address, config, dynamic, files, output, preflight, yaml_text
from .contract import load
from .log import say
from .rules import validate
from .variables import Fault, Settings

REFUSED, MISSING = 1, 3
"""Exit codes: variables or stores that no server could start with; a file or program that is not
there. argparse's own is 2."""
DIRECTORY = "/etc/temporal/config/dynamicconfig"
"""The folder that is always writable: a tmpfs of the container's user on ECS."""
SERVER = "temporal-server"
DYNAMIC = "dynamic.yaml"
_HIDDEN = "(not shown)"
_DROPPED = (
    # --config-file excludes them, and the server ends where one is set.
    "TEMPORAL_ROOT",
    "TEMPORAL_CONFIG_DIR",
    "TEMPORAL_ENVIRONMENT",
    "TEMPORAL_AVAILABILITY_ZONE",
    "TEMPORAL_AVAILABILTY_ZONE",  # as the server has it
    "TEMPORAL_SERVER_CONFIG_FILE_PATH",
)
_DESCRIPTION = (
    "Check the environment of a Temporal role, render the server's configuration from it, try "
    "its stores, and become the server. The variables: docs/reference/runtime-variables.md."
)


@dataclass(frozen=True)
class Rendered:
    """What a role is started with."""

    settings: Settings
    broadcast: address.Broadcast
    config: Mapping[str, Any]
    dynamic: Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; its exit code, unless this process becomes the server."""
    options = _parser().parse_args(arguments)
    # The first process of a container ignores SIGTERM unless it says what to do.
    signal.signal(signal.SIGTERM, _end)
    folder = Path(options.config_dir)
    found = render(os.environ, folder, address.this_machine())
    if isinstance(found, list):
        _tell(found, plainly=options.check or options.print)
        return REFUSED
    if options.check:
        sys.stdout.write(f"ok: {len(found.settings.given)} variables, nothing is wrong\n")
        return 0
    if options.print:
        sys.stdout.write(_shown(found))
        return 0
    return _start(found, folder, options.server)


def render(
    environ: Mapping[str, str], folder: Path, world: address.World
) -> Rendered | list[Fault]:
    """The configuration of a role as data, or every reason why there is none."""
    contract = load()
    settings, faults = validate(environ)
    judgeable = not {"BIND_ON_IP", "TEMPORAL_BROADCAST_ADDRESS"} & {one.variable for one in faults}
    broadcast = address.find(settings, environ, world) if judgeable else None
    if isinstance(broadcast, Fault):
        faults.append(broadcast)
    if faults or not isinstance(broadcast, address.Broadcast):
        return faults
    dynamic_path = str(folder / DYNAMIC)
    made = config.build(settings, contract, broadcast.address, dynamic_path)
    return Rendered(settings, broadcast, made, dynamic.build(settings, contract))


def dynamic_file(found: Rendered, folder: Path) -> tuple[Path, str]:
    """Where the server reads its dynamic config, and what stands there."""
    return folder / DYNAMIC, yaml_text.dump(found.dynamic)


def command(server: str, folder: Path, settings: Settings) -> list[str]:
    """The command line of the server."""
    return [
        server,
        "--config-file",
        str(folder / "server.yaml"),
        "--allow-no-auth",
        "start",
        "--service",
        settings.text("TEMPORAL_SERVICES"),
    ]


def server_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the server gets: no secret, which its file has, and nothing that the file excludes."""
    secrets = {name for name, variable in load().runtime.items() if variable.secret}
    return {name: text for name, text in environ.items() if name not in {*_DROPPED, *secrets}}


def _start(found: Rendered, folder: Path, server: str) -> int:
    settings = found.settings
    file = _log_file(os.environ)
    program = shutil.which(server)
    if program is None:
        fix = "Build the image with it, or name it with --server."
        say("error", "the server's program is not there", file, program=server, fix=fix)
        return MISSING
    try:
        path, text = dynamic_file(found, folder)
        files.write(path, text, 0o644)
        # It may hold a password.
        files.write(folder / "server.yaml", yaml_text.dump(found.config), 0o600)
    except OSError as error:
        fix = "Name a folder that this user may write with --config-dir."
        why = error.strerror or str(error)
        say(
            "error",
            "the configuration cannot be written",
            file,
            folder=str(folder),
            error=why,
            fix=fix,
        )
        return MISSING
    stores = _try_stores(settings, file)
    say("info", _message(found.broadcast), file, **_detected(found, stores))
    if "unreachable" in stores.values() and settings.text("PREFLIGHT") == "strict":
        return REFUSED
    started = command(program, folder, settings)
    environ = server_environment(os.environ)
    if file is not None:
        return output.run(started, environ, file)
    # What arrives from here on is for the server, or ends this process as it would any other.
    # The last two Python ignores, and what is ignored stays so.
    for number in (signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    return os.execve(program, started, environ)  # noqa: S606


def _try_stores(settings: Settings, file: output.LogFile | None) -> dict[str, str]:
    """reachable, unreachable or not tried, by the name of the store; causes are logged."""
    wanted = preflight.targets(settings)
    mode = settings.text("PREFLIGHT")
    if mode == "off":
        return {target.name: "not tried" for target in wanted}
    told = {}
    for result in preflight.run(wanted, settings.seconds("PREFLIGHT_TIMEOUT")):
        found, target = result.finding, result.target
        told[target.name] = "unreachable" if found else "reachable"
        if found:
            say(
                "error" if mode == "strict" else "warn",
                f"the {target.name} cannot be used",
                file,
                step=found.step,
                address=f"{target.host}:{target.port}",
                seconds=round(result.seconds, 3),
                error=found.cause,
                fix=found.fix,
            )
    return told


def _message(broadcast: address.Broadcast) -> str:
    if broadcast.source == address.TASK:
        return "Detected ECS task IP from metadata"
    return "Detected broadcast address"


def _detected(found: Rendered, stores: Mapping[str, str]) -> dict[str, Any]:
    settings = found.settings
    return {
        "role": settings.text("TEMPORAL_SERVICES"),
        "environment": settings.text("DEPLOY_ENVIRONMENT"),
        "broadcast_address": found.broadcast.address,
        "broadcast_source": found.broadcast.source,
        "bind_address": settings.text("BIND_ON_IP"),
        "ports": config.ports(settings, load()),
        "history_shards": settings.number("TEMPORAL_HISTORY_SHARDS"),
        "default_store": settings.text("TEMPORAL_SQL_PLUGIN_NAME"),
        "visibility_store": settings.text("TEMPORAL_VISIBILITY_STORE"),
        "reservoir": settings.switch("DSQL_RESERVOIR_ENABLED"),
        "stores": dict(stores),
    }


def _log_file(environ: Mapping[str, str]) -> output.LogFile | None:
    path = environ.get("TEMPORAL_LOG_FILE")
    return output.LogFile(Path(path)) if path else None


def _tell(faults: Sequence[Fault], *, plainly: bool) -> None:
    """All faults: for people on stderr, else as lines of the log."""
    file = None if plainly else _log_file(os.environ)
    for one in faults:
        if plainly:
            sys.stderr.write(f"error: {one.variable}\ncause: {one.what}\nfix: {one.fix}\n")
        else:
            fields = {"variable": one.variable, "error": one.what, "fix": one.fix}
            say("error", "a variable is refused", file, **fields)


def _shown(found: Rendered) -> str:
    """Both files, with secrets hidden."""
    return (
        f"# server.yaml\n{yaml_text.dump(_without_secrets(found.config))}"
        f"---\n# {DYNAMIC}\n{yaml_text.dump(found.dynamic)}"
    )


def _without_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _HIDDEN
        if key == "password"
        else _without_secrets(value)
        if isinstance(value, dict)
        else value
        for key, value in data.items()
    }


def _end(number: int, _: Any) -> NoReturn:
    os._exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="temporal-runtime", description=_DESCRIPTION)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="say what is wrong with the variables, and stop"
    )
    what.add_argument(
        "--print", action="store_true", help="show both files, secrets hidden, and stop"
    )
    parser.add_argument(
        "--config-dir",
        default=DIRECTORY,
        metavar="FOLDER",
        help=f"where server.yaml and dynamic.yaml are written ({DIRECTORY})",
    )
    parser.add_argument(
        "--server", default=SERVER, metavar="PROGRAM", help=f"the server ({SERVER} of PATH)"
    )
    return parser

"""The versions of the stock server's schema, as its Go module has them, kept with checksums.

Go has the module since the server was built of it; from then on no Go is asked any more.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing
from temporal_dsql_deploy.platforms.cluster import build, sums, wheels
from temporal_dsql_deploy.platforms.protocol import Report

NAME = "temporal-server-schema"
FOLDERS = {"default": "temporal", "visibility": "visibility"}
"""Of each store, below `_WITHIN`."""
_WITHIN = Path("schema", "postgresql", "v12")


def folder() -> Path:
    """Where they are, or would be."""
    return wheels.cache() / f"{NAME}-{build.server().version}"


def of_store(store: str) -> Path | None:
    """The folder of the schema of a store; None where it has not been obtained."""
    return folder() / FOLDERS[store] if is_there() else None


def is_there() -> bool:
    """Whether they have been obtained."""
    return sums.are_there(folder())


def can_be_had() -> bool:
    """Whether there is a Go to ask for them; the build of the server brings one."""
    return build.find_go() is not None or not build.is_built(build.server())


def obtain(report: Report) -> bool:
    """Copy them from Go's module cache unless they are there; whether they are there now.

    Raises BinaryUnusable when one was changed since.
    """
    if not is_there():
        with wheels.alone(folder(), report):
            # Another may have copied them meanwhile.
            if not is_there():
                try:
                    _copy(report)
                except (BinaryMissing, OSError) as error:
                    cause = error.cause if isinstance(error, BinaryMissing) else str(error)
                    report(f"the files of Temporal's schema cannot be had: {cause}")
                    return False
    sums.verify(folder(), sums.names(folder()), made="copied")
    return True


def _copy(report: Report) -> None:
    source = _module() / _WITHIN
    target = folder()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{NAME}-") as temporary:
        made = Path(temporary, "made")
        for name in FOLDERS.values():
            # What Go keeps is read-only, and a copy of it could not be deleted.
            shutil.copytree(source / name, made / name, copy_function=shutil.copyfile)
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        copied = sorted(path for path in made.rglob("*") if path.is_file())
        sums.write(made, [str(path.relative_to(made)) for path in copied])
        # In one step: it is there as a whole or not at all.
        shutil.rmtree(target, ignore_errors=True)
        made.replace(target)
    report(f"copied the schema of {build.server().name} {build.server().version}")


def _module() -> Path:
    """The folder of the server's source in Go's cache, downloaded if need be."""
    module, go = build.server(), build.find_go()
    if go is None:
        raise BinaryMissing("Go is not here", cause="there is no Go to ask for its module")
    # Not where the user is: a go.mod there would have a say.
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(
            [str(go), "mod", "download", "-json", f"{module.path}@v{module.version}"],
            cwd=elsewhere,
            env=build.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise BinaryMissing(
            f"Go has no module {module.path}", cause=_said(done.stdout, done.stderr)
        )
    return Path(json.loads(done.stdout)["Dir"])


def _said(stdout: str, stderr: str) -> str:
    """Why Go could not: with -json it says so in its document."""
    try:
        return str(json.loads(stdout)["Error"])
    except (ValueError, KeyError):
        return stderr.strip()[-200:] or "go mod download has failed"

"""The images that a cluster runs: found, or fetched from where their names say."""

from collections.abc import Mapping

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, DeployError
from temporal_dsql_deploy.platforms.cluster.containers import settings
from temporal_dsql_deploy.platforms.cluster.containers.engine import Engine
from temporal_dsql_deploy.platforms.protocol import Change, Report


def built(engine: Engine) -> dict[str, str]:
    """The newest image of this machine's processor that is built for each variable."""
    found = {}
    for variable, name in settings.IMAGES.items():
        own = [] if is_published(name) else engine.names(name)
        fits = (one for one in own if _architecture(engine, one) == engine.architecture())
        if newest := next(fits, None):
            found[variable] = newest
    return found


def _architecture(engine: Engine, name: str) -> str:
    image = engine.image(name)
    return image.architecture if image else ""


def lacking(engine: Engine, wanted: Mapping[str, str]) -> list[Change]:
    """What `obtain` would fetch. Raises BinaryMissing for what nobody has published."""
    changes = []
    for variable, name in wanted.items():
        if engine.image(name) is not None:
            continue
        if not is_published(name):
            raise _missing(variable, name)
        changes.append(Change(what=name, action="download"))
    return changes


def obtain(engine: Engine, wanted: Mapping[str, str], report: Report) -> None:
    """Fetch what is missing. Raises BinaryMissing, BinaryUnusable."""
    for change in lacking(engine, wanted):
        report(f"fetching {change.what}")
        try:
            engine.run("pull", "--quiet", change.what)
        except DeployError as error:
            raise BinaryMissing(
                f"the image {change.what} cannot be fetched",
                cause=error.cause,
                fix="load it by hand (docker load), or name another one: "
                f"{_variable(wanted, change.what)}=NAME dsql-deploy up ENV",
            ) from error
    for variable, name in wanted.items():
        _refuse_foreign(engine, variable, name)


def ids(engine: Engine, wanted: Mapping[str, str]) -> dict[str, str]:
    """The image that each name means now, by the variable; empty for one that is not there."""
    found = {variable: engine.image(name) for variable, name in wanted.items()}
    return {variable: image.id if image else "" for variable, image in found.items()}


def found(engine: Engine, variable: str, name: str) -> str:
    """Whether it is there, for a sentence. Raises BinaryMissing, BinaryUnusable."""
    image = engine.image(name)
    if image is None and is_published(name):
        return f"{name} will be fetched"
    if image is None:
        raise _missing(variable, name)
    _refuse_foreign(engine, variable, name)
    return f"{name}, {image.id.removeprefix('sha256:')[:12]}"


def is_published(name: str) -> bool:
    """Whether a name says which registry it is in.

    Docker would look for any other in Docker Hub, where it may be anybody's.
    """
    first, slash, _ = name.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def _missing(variable: str, name: str) -> BinaryMissing:
    other = f"name another one: {variable}=NAME dsql-deploy up ENV"
    if is_published(settings.IMAGES[variable]):
        return BinaryMissing(
            f"the image {name} is not on this machine",
            cause="its name has no registry that it could be fetched from",
            fix=f"load it (docker load), or {other}",
        )
    return BinaryMissing(
        f"the image {name} is not on this machine",
        cause="its name has no registry, so it is one that is built here",
        fix=f"dsql-deploy images build ENV, or {other}",
    )


def _refuse_foreign(engine: Engine, variable: str, name: str) -> None:
    image = engine.image(name)
    own = engine.architecture()
    if image is not None and image.architecture != own:
        raise BinaryUnusable(
            f"the image {name} does not run here",
            cause=f"it is of {image.architecture}, and this machine of {own}",
            fix=f"build one of {own}: dsql-deploy images build ENV --help, or name another one: "
            f"{variable}=NAME dsql-deploy up ENV",
        )


def _variable(wanted: Mapping[str, str], name: str) -> str:
    return next(variable for variable, one in wanted.items() if one == name)

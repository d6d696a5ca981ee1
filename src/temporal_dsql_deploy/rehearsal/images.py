"""Which image on this machine plays which of an environment, and what is only a placeholder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from temporal_dsql_deploy.errors import ImageUnusable
from temporal_dsql_deploy.images.definitions import IMAGES
from temporal_dsql_deploy.images.engine import Engine
from temporal_dsql_deploy.operations.images import found
from temporal_dsql_deploy.operations.images.result import BuiltImage
from temporal_dsql_deploy.operations.staged.before import Named
from temporal_dsql_deploy.rehearsal.result import StandIn
from temporal_dsql_deploy.rehearsal.settings import without_tag

_OURS = {
    "temporal_image": "runtime",
    "temporal_admin_tools_image": "admin-tools",
    "images.benchmark": "benchmark",
}
"""Variables that name images of this project, whatever they are called there."""
_CANNOT_SHOW = {
    "ui": "that the Temporal UI starts and reaches the frontend",
    "grafana": "that Grafana starts, takes its administrator from the secret and shows dashboards",
    "loki": "that Loki starts, takes its configuration and keeps logs in its bucket",
    "otel_collector": "that the collector takes its configuration and sends metrics and logs",
    "alloy": "that Alloy takes its configuration and sends metrics and logs",
    "adot": "that the collector takes its configuration and sends metrics",
}
"""Parts of the variable `images` that a placeholder may play."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Images by the names of task definitions."""

    images: Mapping[str, str]
    """Local ones, with the whole name of a task definition."""
    placeholders: Mapping[str, str]
    """Local ones that answer on ports in their place."""
    pause: str
    """One with a program `sleep`."""
    stand_ins: list[StandIn] = field(default_factory=list)


def choose(wanted: Iterable[Named], engine: Engine, architecture: str) -> Chosen:
    """What plays these images.

    `architecture` is this machine's: `amd64` or `arm64`. Raises ImageUnusable for one of this
    project that was not built here, ImageFailed.
    """
    built = [one for one in found.local(engine) if one.architecture == architecture]
    tools = _newest(built, "admin-tools").name
    images: dict[str, str] = {}
    placeholders: dict[str, str] = {}
    stand_ins = []
    for one in wanted:
        if one.variable in _OURS:
            images[one.name] = _newest(built, _OURS[one.variable]).name
        elif local := _there(engine, built, one.name):
            images[one.name] = local
        else:
            placeholders[one.name] = tools
            part = one.variable.rpartition(".")[2]
            what = "a placeholder that answers on the ports of the container"
            stand_ins.append(StandIn(one.name, what, _CANNOT_SHOW[part]))
    return Chosen(images, placeholders, tools, [_ours(images, architecture), *stand_ins])


def _newest(built: list[BuiltImage], name: str) -> BuiltImage:
    there = next((one for one in built if one.image == name), None)
    if there is None:
        raise ImageUnusable(
            f"the image {name} was not built on this machine",
            cause="a rehearsal runs the images of this project, for this machine's architecture",
            fix="build them: dsql-deploy images build cluster",
        )
    return there


def _there(engine: Engine, built: list[BuiltImage], image: str) -> str | None:
    """The image itself where the engine has it, or one of this project by its repository."""
    repository = without_tag(image).rpartition("/")[2]
    own = {one.repository: one.name for one in IMAGES.values()}
    if repository in own:
        return next((one.name for one in built if one.image == own[repository]), None)
    return image if engine.find(image) is not None else None


def _ours(images: Mapping[str, str], architecture: str) -> StandIn:
    told = ", ".join(sorted(set(images.values())))
    return StandIn(
        "the images of this project for arm64 in Amazon ECR",
        f"those for {architecture} on this machine: {told}",
        "that the images of ECR are there, can be pulled and run on Graviton",
    )

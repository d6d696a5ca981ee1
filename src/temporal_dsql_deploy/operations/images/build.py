"""Build images, and leave alone what is there already and made of the very same."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from temporal_dsql_deploy.errors import ImageFailed, ImageUnusable
from temporal_dsql_deploy.images import arguments, base, definitions
from temporal_dsql_deploy.images.definitions import LABEL, Definition
from temporal_dsql_deploy.images.engine import Build, Engine, Image
from temporal_dsql_deploy.operations.images import contexts, programs
from temporal_dsql_deploy.operations.images.programs import Origin, Programs
from temporal_dsql_deploy.operations.images.result import BuiltImage, ImagesBuilt
from temporal_dsql_deploy.platforms.cluster import wheels
from temporal_dsql_deploy.platforms.protocol import Report

BASE_IMAGE = "docker.io/library/python:3.11.14-slim-bookworm"
"""What the Dockerfiles say too; a test compares."""
GRAFANA_IMAGE = "docker.io/grafana/grafana-oss:12.3.0"
IMAGE, INPUTS, ARCHITECTURE = (f"{LABEL}{name}" for name in ("image", "inputs", "architecture"))
_REVISION = "org.opencontainers.image.revision"
_ON_BASE = ("server", "benchmark")


@dataclass(frozen=True, slots=True)
class Request:
    """What to build."""

    environment: str
    architecture: str
    origin: Origin
    images: tuple[str, ...] = tuple(definitions.IMAGES)
    base_image: str = BASE_IMAGE
    grafana_image: str = GRAFANA_IMAGE
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Build arguments of the runtime image."""

    @property
    def server_image(self) -> str | None:
        """An image of the user's that has the server, in the place of ours."""
        return self.arguments.get(arguments.BASE)

    @property
    def wanted(self) -> list[Definition]:
        """What is built, in order."""
        found = definitions.with_their_bases(self.images)
        if self.server_image and "server" not in self.images:
            return [one for one in found if one.name != "server"]
        return found


def plan(request: Request, engine: Engine) -> ImagesBuilt:
    """What `build` would run. Raises InvalidSetting."""
    programs.check(request.origin)
    docker = definitions.folder()
    lines = list(programs.commands(request.origin, docker, request.architecture))
    names = {one.name: f"{one.repository}:sha-COMMIT-TIME" for one in request.wanted}
    lines += [engine.build(_order(request, one, docker, names)) for one in request.wanted]
    return ImagesBuilt(
        environment=request.environment,
        engine=engine.name,
        images=[],
        warnings=list(arguments.warnings(request.arguments)),
        commands=[shlex.join(line) for line in lines],
    )


def build(request: Request, engine: Engine, report: Report) -> ImagesBuilt:
    """Build what is not there yet; where one fails, those that this has built are removed again.

    Raises InvalidSetting, ImageFailed, ImageUnusable, BinaryMissing, BinaryUnusable.
    """
    programs.check(request.origin)
    docker = definitions.folder()
    made = programs.obtain(request.origin, docker, request.architecture, report)
    new: list[str] = []
    try:
        built = list(_built(_Run(request, engine, docker, made, report), new))
    except BaseException:
        for name in new:
            engine.run(engine.remove(name))
        raise
    told = list(arguments.warnings(request.arguments))
    if made.lacking and "admin-tools" in request.images:
        told.append(f"admin-tools has no {', '.join(made.lacking)}: there is none to be put in")
    return ImagesBuilt(request.environment, engine.name, built, told)


@dataclass(frozen=True, slots=True)
class _Run:
    request: Request
    engine: Engine
    docker: Path
    programs: Programs
    report: Report


def _built(run: _Run, new: list[str]) -> Iterator[BuiltImage]:
    created = datetime.now(UTC).replace(microsecond=0)
    tag = f"sha-{run.programs.short}-{created:%Y%m%d%H%M%S}"
    bases = _Bases(run)
    names: dict[str, str] = {}
    with wheels.alone(_contexts(run.request), run.report):
        for one in run.request.wanted:
            _fill(run, one, bases)
            order = _order(
                run.request, one, run.docker, {**names, one.name: f"{one.repository}:{tag}"}
            )
            inputs = contexts.inputs(order, _base_id(run, one, names, bases))
            found = _there(run.engine, one, inputs)
            if found is None:
                run.report(f"building image {one.name} for {order.architecture}")
                labels = _labels(run, one, created, inputs)
                _run_build(run.engine, one, _labelled(order, labels))
                new.append(order.name)
                found = run.engine.find(order.name)
                assert found is not None  # noqa: S101 - it has just been built
            names[one.name] = next(name for name in found.names if _is_own(name, one))
            if one.name in run.request.images:
                yield described(found, names[one.name], unchanged=order.name not in new)


class _Bases:
    """Images of others that ours are built on: each is there, and looked into once."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._ids: dict[str, str] = {}

    def identity(self, name: str) -> str:
        """The id of an image, which is pulled where it is not here. Raises ImageUnusable."""
        if name not in self._ids:
            self._ids[name] = self._there(name).id
        return self._ids[name]

    def users(self, name: str) -> base.Users:
        """Who is in it. Raises ImageUnusable for one that nothing can be built on."""
        self.identity(name)
        with self._run.engine.files(name) as archive:
            return base.users(name, archive)

    def _there(self, name: str) -> Image:
        engine, architecture = self._run.engine, self._run.request.architecture
        found = engine.find(name)
        if found is None or found.architecture != architecture:
            self._run.report(f"pulling {name}")
            try:
                engine.run(engine.pull(name, architecture))
            except ImageFailed as error:
                raise ImageUnusable(
                    f"{name} for {architecture} is not here, and cannot be pulled",
                    cause=error.cause,
                    fix="name one that can: --base-image, --grafana-image; an image of the engine "
                    "itself has to be for this architecture",
                ) from error
            found = engine.find(name)
        if found is None or found.architecture != architecture:
            kind = found.architecture if found else "unknown"
            raise ImageUnusable(
                f"{name} is not for {architecture}",
                cause=f"the one that is here is for {kind}",
                fix="name one that is: --base-image, or another --architecture",
            )
        return found


def _fill(run: _Run, one: Definition, bases: _Bases) -> None:
    context = contexts.empty(_contexts(run.request) / one.name)
    if one.name == "server":
        contexts.server(context, run.programs, bases.users(run.request.base_image))
    elif one.name == "runtime":
        if run.request.server_image:
            bases.users(run.request.server_image)
        contexts.runtime_image(context, run.programs)
    elif one.name == "benchmark":
        bases.users(run.request.base_image)
    elif one.name == "admin-tools":
        contexts.admin_tools(context, run.programs, run.docker)
    else:
        contexts.grafana(context, run.docker)


def _base_id(run: _Run, one: Definition, names: Mapping[str, str], bases: _Bases) -> str:
    if one.name in _ON_BASE:
        return bases.identity(run.request.base_image)
    if one.name == "grafana":
        return bases.identity(run.request.grafana_image)
    if one.on in names:
        found = run.engine.find(names[one.on])
        assert found is not None  # noqa: S101 - it was built before
        return found.id
    assert run.request.server_image is not None  # noqa: S101 - nothing else is left out
    return bases.identity(run.request.server_image)


def _order(request: Request, one: Definition, docker: Path, names: Mapping[str, str]) -> Build:
    given = arguments.usable(request.arguments) if one.name == "runtime" else {}
    if one.name in _ON_BASE:
        given = {"BASE_IMAGE": request.base_image}
    elif one.name == "grafana":
        given = {"GRAFANA_IMAGE": request.grafana_image}
    elif one.on in names:
        given = {**given, one.argument: names[one.on]}
    # The benchmark is built of this very project.
    context = docker.parent if one.name == "benchmark" else _contexts(request) / one.name
    return Build(
        name=names[one.name],
        architecture=request.architecture,
        dockerfile=docker / one.name / "Dockerfile",
        context=context,
        arguments=given,
    )


def _contexts(request: Request) -> Path:
    return wheels.cache() / "images" / "contexts" / request.architecture


def _labels(run: _Run, one: Definition, created: datetime, inputs: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": one.repository,
        "org.opencontainers.image.created": created.isoformat(),
        _REVISION: run.programs.revision,
        IMAGE: one.name,
        ARCHITECTURE: run.request.architecture,
        INPUTS: inputs,
    }


def _labelled(order: Build, labels: Mapping[str, str]) -> Build:
    return Build(
        order.name, order.architecture, order.dockerfile, order.context, order.arguments, labels
    )


def _there(engine: Engine, one: Definition, inputs: str) -> Image | None:
    """The image that was made of the very same, if it still has its name."""
    for image in engine.labelled(f"{INPUTS}={inputs}"):
        names = tuple(name for name in image.names if _is_own(name, one))
        if names:
            return Image(
                image.id, names, image.architecture, image.size, image.labels, image.created
            )
    return None


def _is_own(name: str, one: Definition) -> bool:
    """Whether it is the name that it was built under, and not one of a registry."""
    return name.removeprefix("localhost/").startswith(f"{one.repository}:")


def _run_build(engine: Engine, one: Definition, order: Build) -> None:
    try:
        engine.run(engine.build(order))
    except ImageFailed as error:
        raise ImageFailed(
            f"the image {one.name} could not be built", cause=error.cause, fix=error.fix
        ) from error


def described(image: Image, name: str, *, unchanged: bool = False) -> BuiltImage:
    """An image of ours, by its labels."""
    return BuiltImage(
        image=image.labels.get(IMAGE, ""),
        name=name,
        id=image.id,
        architecture=image.architecture,
        size=image.size,
        revision=image.labels.get(_REVISION, ""),
        created=image.created,
        unchanged=unchanged,
    )


def local(engine: Engine) -> list[BuiltImage]:
    """The images that this has built and the engine still holds, newest first."""
    return [
        described(image, name)
        for image in engine.labelled(IMAGE)
        for name in image.names
        if (one := definitions.IMAGES.get(image.labels[IMAGE])) and _is_own(name, one)
    ]

"""Build images, and leave alone what is there already and made of the very same."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporal_dsql_deploy.errors import ImageFailed
from temporal_dsql_deploy.images import arguments, base, definitions
from temporal_dsql_deploy.images.definitions import Definition
from temporal_dsql_deploy.images.engine import Build, Engine, Image
from temporal_dsql_deploy.interrupts import uninterrupted
from temporal_dsql_deploy.operations.images import contexts, found, programs
from temporal_dsql_deploy.operations.images.bases import Bases
from temporal_dsql_deploy.operations.images.programs import Origin, Programs
from temporal_dsql_deploy.operations.images.result import BuiltImage, ImagesBuilt
from temporal_dsql_deploy.platforms.cluster import wheels
from temporal_dsql_deploy.platforms.protocol import Report

BASE_IMAGE = "docker.io/library/python:3.11.14-slim-bookworm"
"""What the Dockerfiles say too; a test compares."""
GRAFANA_IMAGE = "docker.io/grafana/grafana-oss:12.3.0"
_ON_BASE = ("server", "benchmark")
_CONTEXTS = "contexts"


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
        every = definitions.with_their_bases(self.images)
        if self.server_image and "server" not in self.images:
            return [one for one in every if one.name != "server"]
        return every

    @property
    def needed(self) -> list[str]:
        """Programs that have to be compiled or given."""
        return [program for one in self.wanted for program in one.programs]


def plan(request: Request, engine: Engine) -> ImagesBuilt:
    """What `build` would run. Raises InvalidSetting."""
    docker = definitions.folder()
    if request.needed:
        programs.check(request.origin)
    origin = request.origin if request.needed else None
    lines = list(programs.commands(origin, docker, request.architecture))
    names = {one.name: f"{one.repository}:sha-COMMIT-TIME" for one in request.wanted}
    labels = {"LABEL": "VALUE"}
    for one in request.wanted:
        order = _order(request, one, docker, names)
        lines.append(engine.shown(engine.build(replace(order, labels=labels))))
    return ImagesBuilt(request.environment, engine.name, [], commands=lines)


def build(request: Request, engine: Engine, report: Report) -> ImagesBuilt:
    """Build what is not there yet; where one fails, those that this has built are removed again.

    Raises InvalidSetting, ImageFailed, ImageUnusable, BinaryMissing, BinaryUnusable.
    """
    docker = definitions.folder()
    bases = Bases(engine, request.architecture, report)
    made = _programs(request, docker, bases, report)
    new: list[str] = []
    # Alone: names are of a second, and images of the same name but another architecture are others.
    with wheels.alone(_contexts(request).parent, report):
        try:
            built = _Run(request, engine, docker, made, bases, report, new).all()
        except BaseException:
            with uninterrupted():
                for name in reversed(new):
                    # What went wrong is to be told, and not that it cannot be cleaned up after.
                    with suppress(ImageFailed):
                        engine.run(engine.remove(name))
            raise
    notes = [*made.notes, *(_lacking(request, made) if "admin-tools" in request.images else [])]
    return ImagesBuilt(request.environment, engine.name, built, notes)


def _lacking(request: Request, made: Programs) -> Iterator[str]:
    """What the image of the tools is without."""
    if made.lacking:
        yield f"admin-tools has no {', '.join(made.lacking)}: there is none to be put in"
    if made.schema is None and not request.origin.stock:
        yield (
            f"admin-tools has no schema, as there is no folder {request.origin.folder}/schema: "
            "`schema setup --as-task` needs it (copy that of the server's source tree there)"
        )


def _programs(request: Request, docker: Path, bases: Bases, report: Report) -> Programs:
    if request.needed:
        programs.check(request.origin)
        needed = request.needed
        return programs.obtain(request.origin, docker, request.architecture, needed, report)
    # All that is built is ours: it is named by what it stands on.
    names = {one.name for one in request.wanted}
    probe = programs.probe(docker, request.architecture, report) if "runtime" in names else {}
    base_image = request.grafana_image if names == {"grafana"} else request.base_image
    image = bases.image(request.server_image or base_image)
    revision = image.labels.get(found.REVISION) or image.id.removeprefix("sha256:")
    return Programs(probe, revision)


@dataclass(frozen=True, slots=True)
class _Run:
    request: Request
    engine: Engine
    docker: Path
    programs: Programs
    bases: Bases
    report: Report
    new: list[str]
    """Names that were given, or are just being given."""

    def all(self) -> list[BuiltImage]:
        """Each image, built or found; under one new tag, unless all are the newest of a kind."""
        there = found.local(self.engine)
        created = self._time(there)
        tag = f"sha-{self.programs.short}-{created:%Y%m%d%H%M%S}"
        names: dict[str, str] = {}
        images = [(one, self._one(one, tag, created, names)) for one in self.request.wanted]
        if not self._is_newest(names, there):
            for one, image in images:
                if names[one.name] not in self.new:
                    names[one.name] = self._name(image, names[one.name], f"{one.repository}:{tag}")
        known = {one.id for one in there}
        return [
            found.described(image, names[one.name], unchanged=image.id in known)
            for one, image in images
            if one.name in self.request.images
        ]

    def _time(self, there: list[BuiltImage]) -> datetime:
        """Now, or just after the newest name: two of the same second would be one."""
        now = datetime.now(UTC).replace(microsecond=0)
        newest = max((found.time_of(one.name) for one in there), default="")
        if newest < f"{now:%Y%m%d%H%M%S}":
            return now
        return datetime.strptime(newest, "%Y%m%d%H%M%S").replace(tzinfo=UTC) + timedelta(seconds=1)

    def _is_newest(self, names: Mapping[str, str], there: list[BuiltImage]) -> bool:
        """Whether nothing was built, and what was found is what `push` would take."""
        fitting = [one for one in there if one.architecture == self.request.architecture]
        return all(
            name == next((one.name for one in fitting if one.image == image), None)
            for image, name in names.items()
        )

    def _name(self, image: Image, name: str, other: str) -> str:
        self.new.append(other)
        self.engine.run(self.engine.tag(name, other))
        again = self.engine.find(image.id)
        return next((one for one in again.names if one.endswith(other)), other) if again else other

    def _one(self, one: Definition, tag: str, created: datetime, names: dict[str, str]) -> Image:
        """One image, and its name among `names`."""
        self._fill(one)
        order = _order(
            self.request, one, self.docker, {**names, one.name: f"{one.repository}:{tag}"}
        )
        inputs = contexts.inputs(order, self._base_id(one, names))
        for image in self.engine.labelled(f"{found.INPUTS}={inputs}"):
            if own := found.own_names(image, one):
                names[one.name] = own[0]
                return image
        self.report(f"building image {one.name} for {order.architecture}")
        self.new.append(order.name)
        labels = self._labels(one, created, inputs)
        _build(self.engine, one, replace(order, labels=labels))
        built = self.engine.find(order.name)
        assert built is not None  # noqa: S101 - it has just been built
        own = found.own_names(built, one)
        names[one.name] = own[0] if own else order.name
        self.new[-1] = names[one.name]
        return built

    def _fill(self, one: Definition) -> None:
        context = contexts.empty(_contexts(self.request) / one.name)
        if one.name == "server":
            contents = self.bases.contents(self.request.base_image)
            contexts.server(context, self.programs, contents)
        elif one.name == "runtime":
            if self.request.server_image:
                self.bases.contents(self.request.server_image)
            contexts.runtime_image(context, self.programs)
        elif one.name == "benchmark":
            image = self.request.base_image
            base.check_tool(image, self.bases.contents(image))
        elif one.name == "admin-tools":
            contexts.admin_tools(context, self.programs, self.docker)
        else:
            contexts.grafana(context, self.docker)
        contexts.readable(context)

    def _base_id(self, one: Definition, names: Mapping[str, str]) -> str:
        if one.name in _ON_BASE:
            return self.bases.image(self.request.base_image).id
        if one.name == "grafana":
            return self.bases.image(self.request.grafana_image).id
        if one.on in names:
            image = self.engine.find(names[one.on])
            assert image is not None  # noqa: S101 - it was built before
            return image.id
        assert self.request.server_image is not None  # noqa: S101 - nothing else is left out
        return self.bases.image(self.request.server_image).id

    def _labels(self, one: Definition, created: datetime, inputs: str) -> dict[str, str]:
        baked = arguments.baked(self.request.arguments) if one.name == "runtime" else []
        return {
            "org.opencontainers.image.title": one.repository,
            found.CREATED: created.isoformat(),
            found.REVISION: self.programs.revision,
            found.IMAGE: one.name,
            found.ARCHITECTURE: self.request.architecture,
            found.INPUTS: inputs,
            **({found.BAKED: " ".join(baked)} if baked else {}),
        }


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
    return wheels.cache() / "images" / _CONTEXTS / request.architecture


def _build(engine: Engine, one: Definition, order: Build) -> None:
    try:
        engine.run(engine.build(order))
    except ImageFailed as error:
        raise ImageFailed(
            f"the image {one.name} could not be built", cause=error.cause, fix=error.fix
        ) from error

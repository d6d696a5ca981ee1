"""Push images, and say by which digests a task definition names them; list what there is."""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import ImageFailed, ImageUnusable, MissingError, NotForPlatform
from temporal_dsql_deploy.images import definitions, ecr
from temporal_dsql_deploy.images.definitions import IMAGES
from temporal_dsql_deploy.images.engine import Engine
from temporal_dsql_deploy.images.registry import LoginNeeded, Manifest, Registry
from temporal_dsql_deploy.interrupts import uninterrupted
from temporal_dsql_deploy.operations.images.found import local
from temporal_dsql_deploy.operations.images.result import (
    BuiltImage,
    ImagesListed,
    ImagesPushed,
    PushedImage,
    RegistryImage,
)
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.terraform import values

_VARIABLES = {"runtime": "temporal_image", "admin-tools": "temporal_admin_tools_image"}
_GROUPED = ("grafana", "benchmark")
"""Those that are parts of the variable `images`."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where an environment's own registry is: Amazon ECR."""

    account: str
    """12 digits."""
    region: str


Place = Account | Registry


@dataclass(frozen=True, slots=True)
class Request:
    """What to push, and where."""

    environment: str
    place: Place
    architecture: str
    images: tuple[str, ...] = ()
    """Those that must be there; empty for all that are."""
    tag: str | None = None
    """None for the newest of each image."""


def own(environment: Environment, region: str | None, terraform: Path | None) -> Account:
    """The ECR of an environment, before and after its Terraform is applied.

    Its variables say account and region. Raises NotForPlatform, MissingError, WrongAccount, and
    what Terraform and AWS raise.
    """
    if environment.platform != "ecs" or environment.terraform is None:
        raise NotForPlatform(
            f"environment {environment.name} has no registry",
            cause=f"its platform is {environment.platform}, whose images stay on this machine",
            fix="name one: --registry HOST",
        )
    request = values.Request(environment.terraform, environment.var_files, terraform)
    said = {} if region and environment.account else values.read(request, ("account_id", "region"))
    where = region or said.get("region")
    if not where:
        raise MissingError(
            f"the AWS region of environment {environment.name} is not known",
            cause="its Terraform has no variable `region`",
            fix="say it: --region REGION",
        )
    account = environment.account or said.get("account_id")
    if account:
        aws.check_account(environment.name, str(account))
    return Account(str(account or aws.account()), str(where))


def plan(request: Request, engine: Engine) -> ImagesPushed:
    """What `push` would run. Raises ImageUnusable, and what AWS raises."""
    chosen = _chosen(request, local(engine))
    registry = _address(request.place)
    folder = Path("LOGIN")
    login = isinstance(request.place, Account)
    lines = []
    for one in chosen:
        name = registry.name(*_parts(one))
        lines.append(engine.tag(one.name, name))
        lines.append(engine.push(name, folder, login=login, plain=registry.plain))
    made = sorted(_absent(request.place, chosen)) if login else []
    return ImagesPushed(
        environment=request.environment,
        registry=registry.host,
        images=[],
        made=made,
        warnings=list(_doubts(chosen)),
        commands=[engine.shown(line) for line in lines],
    )


def push(request: Request, engine: Engine, report: Report) -> ImagesPushed:
    """Push what is not there yet, and compare what the registry holds with what was pushed.

    Run again it goes on: an image that is there is left alone. Raises ImageUnusable, ImageFailed
    with the step that failed, and what AWS raises.
    """
    chosen = _chosen(request, local(engine))
    made, warnings = _repositories(request, chosen, report)
    warnings += _doubts(chosen)
    registry = _logged_in(request.place)
    pushed = []
    for one in chosen:
        image, note = _pushed(registry, engine, one, report)
        pushed.append(image)
        warnings += note
    return ImagesPushed(
        environment=request.environment,
        registry=registry.host,
        images=pushed,
        made=made,
        variables=list(_variables(pushed)),
        warnings=warnings,
    )


def listed(environment: str, place: Place | None, engine: Engine | None) -> ImagesListed:
    """The images that were built here, and those of the registry. Raises ImageFailed, AWS's."""
    here = local(engine) if engine else []
    notes: list[str] = []
    if place is None:
        return ImagesListed(environment, here)
    found = list(_of_ecr(place) if isinstance(place, Account) else _of_registry(place, notes))
    return ImagesListed(environment, here, _address(place).host, found, notes)


def _of_ecr(place: Account) -> Iterator[RegistryImage]:
    registry = _address(place)
    for one in IMAGES.values():
        for tag in ecr.pushed(place.region, one.repository):
            name = registry.name(one.repository, tag["tag"])
            yield RegistryImage(one.name, name, tag["digest"], tag["pushed"], tag["size"])


def _of_registry(registry: Registry, notes: list[str]) -> Iterator[RegistryImage]:
    try:
        for one in IMAGES.values():
            for tag in reversed(registry.tags(one.repository)):
                found = registry.manifest(one.repository, tag)
                digest = found.digest if found else ""
                yield RegistryImage(one.name, registry.name(one.repository, tag), digest)
    except LoginNeeded:
        notes.append(f"{registry.host} tells what it holds to those alone who log in")


def _chosen(request: Request, there: Sequence[BuiltImage]) -> list[BuiltImage]:
    """The images to push, one each, in the order in which they are built."""
    fitting = [one for one in there if one.architecture == request.architecture]
    found = []
    for definition in definitions.IMAGES.values():
        if request.images and definition.name not in request.images:
            continue
        newest = next(
            (
                one
                for one in fitting
                if one.image == definition.name
                and request.tag in {None, one.name.rpartition(":")[2]}
            ),
            None,
        )
        if newest is None and not request.images:
            continue
        if newest is None:
            tagged = f" with the tag {request.tag}" if request.tag else ""
            raise ImageUnusable(
                f"there is no image {definition.name} for {request.architecture}{tagged} here",
                cause="none was built on this machine, or it was removed",
                fix="build it: dsql-deploy images build ENV --help; what is here: "
                "dsql-deploy images list ENV --local",
            )
        found.append(newest)
    if not found:
        tagged = f" with the tag {request.tag}" if request.tag else ""
        others = ", ".join(f"{one.name} ({one.architecture})" for one in there)
        raise ImageUnusable(
            f"there is no image for {request.architecture}{tagged} here",
            cause=f"here are {others}" if others else "none was built on this machine",
            fix="build them: dsql-deploy images build ENV --help",
        )
    return found


def _parts(one: BuiltImage) -> tuple[str, str]:
    """Repository and tag."""
    return IMAGES[one.image].repository, one.name.rpartition(":")[2]


def _doubts(chosen: Sequence[BuiltImage]) -> Iterator[str]:
    """What speaks against pushing these together, or at all."""
    revisions = {one.revision for one in chosen}
    if len(revisions) > 1:
        listed = ", ".join(f"{one.image} of {one.revision[:12]}" for one in chosen)
        yield f"the images are of different commits: {listed}; --tag takes those of one build"
    for one in chosen:
        if one.baked:
            yield (f"{one.name} has {' and '.join(one.baked)} in it: it is an image of one cluster")


def _address(place: Place) -> Registry:
    if isinstance(place, Registry):
        return place
    return Registry(ecr.host(place.account, place.region))


def _logged_in(place: Place) -> Registry:
    return ecr.logged_in(place.account, place.region) if isinstance(place, Account) else place


def _absent(place: Place, chosen: Sequence[BuiltImage]) -> set[str]:
    if not isinstance(place, Account):
        return set()
    wanted = {IMAGES[one.image].repository for one in chosen}
    return wanted - set(ecr.repositories(place.region, wanted))


def _repositories(
    request: Request, chosen: Sequence[BuiltImage], report: Report
) -> tuple[list[str], list[str]]:
    """Make those that are not there; which, and what speaks against the others."""
    place = request.place
    if not isinstance(place, Account):
        return [], []
    wanted = sorted({IMAGES[one.image].repository for one in chosen})
    there = ecr.repositories(place.region, wanted)
    warnings = [
        f"repository {name} lets a tag be moved: a task that starts later may run something else; "
        "terraform/account makes it immutable"
        for name, immutable in there.items()
        if not immutable
    ]
    made = []
    for name in wanted:
        if name not in there and ecr.make(place.region, name, {"Name": name}):
            report(f"made the image repository {name}")
            made.append(name)
    return made, warnings


def _pushed(
    registry: Registry, engine: Engine, one: BuiltImage, report: Report
) -> tuple[PushedImage, list[str]]:
    """One image, pushed where it is not there yet, and what could not be seen of it."""
    repository, tag = _parts(one)
    name = registry.name(repository, tag)
    notes: list[str] = []
    try:
        held = registry.manifest(repository, tag)
        already = held is not None
        told = "" if held else _push(registry, engine, one, name, report)
        held = held or registry.manifest(repository, tag)
        digest = _same(one, name, told, held)
    except LoginNeeded:
        already, digest = False, _push(registry, engine, one, name, report)
        notes.append(f"{registry.host} was not asked what it holds: the engine alone has logged in")
    reference = registry.reference(repository, digest)
    return PushedImage(one.image, name, digest, reference, already), notes


def _push(registry: Registry, engine: Engine, one: BuiltImage, name: str, report: Report) -> str:
    """Push one image; its digest as the engine tells it."""
    report(f"pushing {name}")
    with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
        login = bool(registry.user)
        if login:
            # Only for this push: nothing of it stays in the configuration of the engine.
            _log_in(registry, Path(folder))
        command = engine.push(name, Path(folder), login=login, plain=registry.plain)
        engine.run(engine.tag(one.name, name))
        try:
            return engine.pushed(engine.run(command), Path(folder))
        except ImageFailed as error:
            raise ImageFailed(
                f"the image {one.image} could not be pushed to {registry.host}",
                cause=error.cause,
                fix="what was pushed before stays; when the cause is gone the same command goes on",
            ) from error
        finally:
            # The name was for the engine alone; the image keeps the one that it was built under.
            with uninterrupted(), suppress(ImageFailed):
                engine.run(engine.remove(name))


def _log_in(registry: Registry, folder: Path) -> None:
    """Write a configuration of Docker's client that is the user's but for who logs in."""
    own = Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser()
    said = json.loads(registry.login())
    # Which engine is meant stands there too: that of another machine, or of a desktop.
    with suppress(OSError, ValueError):
        kept = json.loads((own / "config.json").read_text(encoding="utf-8"))
        if "currentContext" in kept:
            said["currentContext"] = kept["currentContext"]
    if (own / "contexts").is_dir():
        (folder / "contexts").symlink_to((own / "contexts").absolute())
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")


def _same(one: BuiltImage, name: str, told: str, held: Manifest | None) -> str:
    """The digest that the registry holds, if it is that of this very image."""
    if held is None:
        raise ImageFailed(
            f"{name} is not there after it was pushed",
            cause="the registry knows no such tag",
            fix="see what the registry says of it, then try again",
        )
    # An engine names an image by the digest of its configuration, or (containerd's store) of its
    # manifest.
    if one.id not in {held.configuration, held.digest} or told not in {"", held.digest}:
        raise ImageFailed(
            f"{name} is another image than the one that was built here",
            cause=f"the registry holds {held.digest} with the configuration {held.configuration}; "
            f"the one here is {one.id}",
            fix="tags are never moved: change something and build again, which makes a new one",
        )
    return held.digest


def _variables(pushed: Sequence[PushedImage]) -> Iterator[str]:
    """What terraform.tfvars has to say."""
    references = {one.image: one.reference for one in pushed}
    for image, variable in _VARIABLES.items():
        if image in references:
            yield f'{variable} = "{references[image]}"'
    grouped = [f'{name} = "{references[name]}"' for name in _GROUPED if name in references]
    if grouped:
        yield f"images = {{ {', '.join(grouped)} }}"

"""What the verbs of images tell."""

from dataclasses import dataclass, field
from datetime import datetime

from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class BuiltImage(Result):
    """An image that this machine holds."""

    image: str
    """`server`, `runtime`, `admin-tools`, `benchmark` or `grafana`."""
    name: str
    """Repository and tag."""
    id: str
    """Digest of its configuration."""
    architecture: str
    size: int | None
    """Bytes, unpacked; null where the engine does not tell."""
    revision: str
    """Commit of the source that its programs are of."""
    created: datetime | None
    unchanged: bool = False
    """Whether it was there already, made of the very same."""
    baked: list[str] = field(default_factory=list)
    """Build arguments that name stores of one cluster: it is an image of that one alone."""


@dataclass(frozen=True, slots=True)
class ImagesBuilt(Result):
    """What `images build` has made, or would run."""

    environment: str
    engine: str
    images: list[BuiltImage]
    warnings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    """With --dry-run: what would be run."""


@dataclass(frozen=True, slots=True)
class PushedImage(Result):
    """An image in a registry."""

    image: str
    name: str
    """Registry, repository and tag."""
    digest: str
    """Of its manifest: what a task definition names it by."""
    reference: str
    """Registry, repository and digest."""
    already: bool = False
    """Whether it was there before."""


@dataclass(frozen=True, slots=True)
class ImagesPushed(Result):
    """What `images push` has pushed, or would run."""

    environment: str
    registry: str
    images: list[PushedImage]
    made: list[str] = field(default_factory=list)
    """Repositories that were not there before."""
    variables: list[str] = field(default_factory=list)
    """Lines of terraform.tfvars that name them by digest."""
    warnings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RegistryImage(Result):
    """A tag of a repository."""

    image: str
    name: str
    digest: str
    pushed: datetime | None = None
    size: int | None = None
    """Bytes, compressed, as ECR tells it."""


@dataclass(frozen=True, slots=True)
class ImagesListed(Result):
    """The images that this machine holds, and those of the registry."""

    environment: str
    local: list[BuiltImage]
    """Newest first."""
    registry: str = ""
    pushed: list[RegistryImage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

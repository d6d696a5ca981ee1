"""The images of this project, and where their Dockerfiles are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import MissingError

_FOLDER = "docker"
_CHECKOUT = Path(__file__).parents[3]
"""Of this repository, when the package runs from one."""
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
"""With the names that Linux and Python's wheels have for them."""
LABEL = "io.temporal-dsql-deploy."
"""What the names of our own labels begin with."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One image."""

    name: str
    """Its folder below docker/."""
    repository: str
    """As terraform/account makes it."""
    programs: tuple[str, ...] = ()
    """Of those that are compiled, the ones that it cannot do without."""
    on: str = ""
    """The image that it is built on, which is built before it."""
    argument: str = ""
    """The build argument that names that one."""


IMAGES: Mapping[str, Definition] = {
    one.name: one
    for one in (
        Definition("server", "temporal-dsql", programs=("temporal-server",)),
        Definition("runtime", "temporal-dsql-runtime", on="server", argument="TEMPORAL_BASE_IMAGE"),
        Definition("benchmark", "temporal-benchmark"),
        Definition(
            "admin-tools",
            "temporal-dsql-admin-tools",
            programs=("temporal-sql-tool",),
            on="benchmark",
            argument="DSQL_DEPLOY_IMAGE",
        ),
        Definition("grafana", "temporal-grafana"),
    )
}
"""In the order in which they are built."""


def with_their_bases(names: tuple[str, ...]) -> list[Definition]:
    """These images, and before them those that they are built on."""
    wanted = {name for one in names for name in (one, IMAGES[one].on) if name}
    return [one for one in IMAGES.values() if one.name in wanted]


def folder() -> Path:
    """The folder of the Dockerfiles: of the working directory or a parent, else of the checkout.

    Raises MissingError where there is none, as in a package that was installed without them.
    """
    here = Path.cwd()
    for parent in (here, *here.parents, _CHECKOUT):
        if all((parent / _FOLDER / name / "Dockerfile").is_file() for name in IMAGES):
            return parent / _FOLDER
    raise MissingError(
        "the Dockerfiles of the images are not here",
        cause=f"neither {here} nor a parent has {_FOLDER}/runtime/Dockerfile and the others",
        fix="run the command in a checkout of temporal-dsql-deploy",
    )

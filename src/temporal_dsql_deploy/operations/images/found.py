"""The images that were built here: by their labels, newest first."""

import re
from collections.abc import Iterator
from datetime import datetime

from temporal_dsql_deploy.images.definitions import IMAGES, LABEL, Definition
from temporal_dsql_deploy.images.engine import Engine, Image
from temporal_dsql_deploy.operations.images.result import BuiltImage

IMAGE, INPUTS, ARCHITECTURE, BAKED = (
    f"{LABEL}{name}" for name in ("image", "inputs", "architecture", "baked")
)
CREATED = "org.opencontainers.image.created"
REVISION = "org.opencontainers.image.revision"
_TAG = re.compile(r":sha-[0-9a-f]+-(\d{14})$")


def local(engine: Engine) -> list[BuiltImage]:
    """All of them, once for each name, newest first.

    By the time in the name: the engine's own is that of a layer that was there before.
    """
    found = [one for image in engine.labelled(IMAGE) for one in _described(image)]
    return sorted(found, key=lambda one: (time_of(one.name), one.image), reverse=True)


def _described(image: Image) -> Iterator[BuiltImage]:
    definition = IMAGES.get(image.labels[IMAGE])
    if definition is not None:
        for name in own_names(image, definition):
            yield described(image, name)


def own_names(image: Image, definition: Definition) -> list[str]:
    """Those that it was built under, newest first, and none of a registry."""
    start = f"{definition.repository}:"
    own = [name for name in image.names if name.removeprefix("localhost/").startswith(start)]
    return sorted(own, key=time_of, reverse=True)


def time_of(name: str) -> str:
    """When a name was given: the digits of its tag; empty for a tag that is not ours."""
    found = _TAG.search(name)
    return found[1] if found else ""


def described(image: Image, name: str, *, unchanged: bool = False) -> BuiltImage:
    """An image of ours, by its labels."""
    created = image.labels.get(CREATED)
    return BuiltImage(
        image=image.labels.get(IMAGE, ""),
        name=name,
        id=image.id,
        architecture=image.architecture,
        size=image.size,
        revision=image.labels.get(REVISION, ""),
        created=datetime.fromisoformat(created) if created else None,
        unchanged=unchanged,
        baked=image.labels.get(BAKED, "").split(),
    )

"""Images of others that ours are built on: each is there, and looked into once."""

from temporal_dsql_deploy.errors import ImageFailed, ImageUnusable
from temporal_dsql_deploy.images import base
from temporal_dsql_deploy.images.engine import Engine, Image
from temporal_dsql_deploy.platforms.protocol import Report


class Bases:
    """Those of one architecture, in one engine."""

    def __init__(self, engine: Engine, architecture: str, report: Report) -> None:
        self._engine = engine
        self._architecture = architecture
        self._report = report
        self._found: dict[str, Image] = {}
        self._seen: dict[str, base.Contents] = {}

    def image(self, name: str) -> Image:
        """It, pulled where it is not here. Raises ImageUnusable."""
        if name not in self._found:
            self._found[name] = self._obtained(name)
        return self._found[name]

    def contents(self, name: str) -> base.Contents:
        """What is in it. Raises ImageUnusable for one that nothing can be built on."""
        if name not in self._seen:
            self.image(name)
            with self._engine.files(name, self._architecture) as archive:
                self._seen[name] = base.contents(name, archive)
        return self._seen[name]

    def _obtained(self, name: str) -> Image:
        found = self._engine.find(name, self._architecture)
        if found is None or found.architecture != self._architecture:
            self._report(f"pulling {name}")
            self._pull(name)
            found = self._engine.find(name, self._architecture)
        if found is None or found.architecture != self._architecture:
            kind = found.architecture if found else "none"
            raise ImageUnusable(
                f"{name} is not for {self._architecture}",
                cause=f"the one that is here is for {kind}",
                fix="name one that is: --base-image, or another --architecture",
            )
        return found

    def _pull(self, name: str) -> None:
        try:
            self._engine.run(self._engine.pull(name, self._architecture))
        except ImageFailed as error:
            raise ImageUnusable(
                f"{name} for {self._architecture} is not here, and cannot be pulled",
                cause=error.cause,
                fix="name one that can: --base-image, --grafana-image; one that the engine has by "
                "itself has to be for this architecture",
            ) from error

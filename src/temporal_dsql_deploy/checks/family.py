"""A family of rules: what a module of checks fills."""

from collections.abc import Callable, Iterator

from temporal_dsql_deploy.checks.model import Rule, Said
from temporal_dsql_deploy.checks.subject import Subject

Check = Callable[[Subject], Iterator[Said]]


class Family:
    """Rules that are about one thing."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        """What its rules prove, as a heading."""
        self.rules: list[Rule] = []

    def rule(  # noqa: PLR0913 - the words of a rule, each by its name
        self,
        suffix: str,
        *,
        holds: str,
        symptom: str,
        fix: str,
        source: str,
        seeds: tuple[str, ...] = (),
        meaning: str = "",
    ) -> Callable[[Check], Check]:
        """Make a rule `<family>-<suffix>` of the function below; see `Rule` for the words."""

        def made(check: Check) -> Check:
            identity = f"{self.name}-{suffix}"
            self.rules.append(
                Rule(identity, self.name, holds, symptom, fix, source, check, seeds, meaning)
            )
            return check

        return made

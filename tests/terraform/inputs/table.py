"""Cases as data: what is changed in the example of a module, and what is said to it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN = 90


@dataclass(frozen=True, slots=True)
class Case:
    """One set of changed variables."""

    changed: Mapping[str, Any]
    because: str | None
    """What is said to it: the beginning of a sentence or clause; None where it is taken."""

    @property
    def name(self) -> str:
        text = json.dumps(self.changed)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


@dataclass(frozen=True, slots=True)
class Table:
    """The cases of one directory."""

    directory: str
    """Below `terraform`, such as `modules/vpc`."""
    cases: Sequence[Case]
    base: Mapping[str, Any] | None = None
    """Variables of every case; None for those of the example in the README."""
    by_itself: bool = False
    """Each case is a plan of its own: a root module, or one too large to have many in a plan."""


def takes(**changed: Any) -> list[Case]:
    return [Case(changed, None)]


def takes_each(variable: str, values: Iterable[Any]) -> list[Case]:
    return [Case({variable: value}, None) for value in values]


def refuses(because: str, **changed: Any) -> list[Case]:
    return [Case(changed, because)]


def refuses_each(because: str, variable: str, values: Iterable[Any]) -> list[Case]:
    return [Case({variable: value}, because) for value in values]


def each_field(cases: Iterable[Case], variable: str) -> list[Case]:
    """The same cases for the fields of a variable that is an object."""
    return [Case({variable: dict(case.changed)}, case.because) for case in cases]


_NAME = "project_name is 2 to 22 characters"
PROJECT_NAMES = [
    *takes_each("project_name", ["t1", "temporal-dev-eu-west-1"]),
    *refuses_each(_NAME, "project_name", ["t", "temporal-dev-eu-west-12"]),
]
# What stands in every module in the same words is tried at length in one.
WRONG_PROJECT_NAMES = refuses_each(
    _NAME, "project_name", ["", "Temporal", "1st", "-dev", "dev-", "te_st", "a.b"]
)


def retention(variable: str = "log_retention_days", said: str = "") -> list[Case]:
    """CloudWatch's own list of days."""
    return [
        *takes_each(variable, [1, 3653]),
        *refuses_each(f"{said or variable} is one of CloudWatch's", variable, [0, 8, 3654]),
    ]


def image(variable: str = "image", said: str = "") -> list[Case]:
    return [
        *takes_each(variable, ["x:1"]),
        *refuses_each(
            f"{said or variable} needs a tag of its own or a digest",
            variable,
            ["temporal", "temporal:latest", "temporal@sha256:0123"],
        ),
    ]


def images_at_length(variable: str = "image") -> list[Case]:
    digest = "0123456789abcdef" * 4
    account = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    return [
        *takes_each(
            variable,
            [
                f"{account}/temporal/server:sha-1a2b3c4-20261121120000",
                "localhost:5000/temporal_server:V1.2",
                f"temporal@sha256:{digest}",
                f"{account}/temporal:latest@sha256:{digest}",
                f"x:{'t' * 128}",
            ],
        ),
        *refuses_each(
            f"{variable} needs a tag of its own or a digest",
            variable,
            [
                "",
                f"{account}/temporal",
                "localhost:5000/temporal",
                "temporal:",
                f"{account}/temporal:latest",
                f"temporal@sha256:{digest}0",
                f"x:{'t' * 129}",
                "https://docker.io/x:1",
                "two words:1",
                "Temporal:1",
            ],
        ),
    ]


def size(cpu: str = "cpu", memory: str = "memory", largest: int = 16384) -> list[Case]:
    """CPU and memory of a task."""
    return [
        *takes(**{cpu: 256, memory: 256}),
        *takes(**{cpu: largest, memory: largest * 8}),
        *(
            case
            for units in (128, 300, largest * 2)
            for case in refuses(f"{cpu} is one of 256", **{cpu: units, memory: units})
        ),
        *(
            case
            for units, mib in [(256, 128), (256, 2176), (1024, 1500)]
            for case in refuses(f"{memory} is 1 to 8 MiB", **{cpu: units, memory: mib})
        ),
    ]


def sizes_at_length() -> list[Case]:
    return [
        *takes(cpu=256, memory=2048),
        *takes(cpu=1024, memory=1024),
        *takes(cpu=1024, memory=8192),
        *takes(cpu=16384, memory=16384),
        *(
            case
            for cpu in (0, 255, 3072, -256, 512.5)
            for case in refuses("cpu is one of 256", cpu=cpu, memory=1024)
        ),
        *refuses("memory is 1 to 8 MiB", cpu=1024, memory=896),
        *refuses("memory is 1 to 8 MiB", cpu=1024, memory=8320),
        *refuses("memory is 1 to 8 MiB", cpu=512, memory=1024.5),
    ]


def whole(variable: str, least: float, most: float | None, because: str) -> list[Case]:
    """A whole number within borders."""
    good = [least] if most is None else [least, most]
    bad = [least - 1, least + 0.5] if most is None else [least - 1, least + 0.5, most + 1]
    return [*takes_each(variable, good), *refuses_each(because, variable, bad)]

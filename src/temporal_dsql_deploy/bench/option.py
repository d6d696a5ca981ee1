"""What an option of a benchmark is."""

import math
import re
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.errors import InvalidSetting

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, as Go and Temporal write it: `500ms`, `30s`, `1m30s`."""

    seconds: float

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Raises ValueError for anything else than numbers with ms, s, m or h; `0` is one too."""
        written = text.strip()
        parts = _PART.findall(written)
        if written != "0" and (not parts or "".join(map("".join, parts)) != written):
            raise ValueError(f"{text!r} is no duration: write 500ms, 30s, 5m or 1m30s")
        return cls(round(sum(float(number) * _UNITS[unit] for number, unit in parts), 3))

    def __str__(self) -> str:
        if self.seconds < 1:
            return f"{self.seconds * 1000:g}ms" if self.seconds else "0s"
        minutes, seconds = divmod(self.seconds, 60)
        return (f"{minutes:g}m" if minutes else "") + (f"{seconds:g}s" if seconds else "")


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a benchmark can be told."""

    name: str
    """Field of `Settings`; with dashes the name on the command line."""
    variable: str
    """The environment variable that gives it where the command line does not."""
    default: Any
    """Its type is the option's; None where the default follows from others, as `help` says."""
    help: str
    least: float | None = None
    """The bounds, in seconds for a duration."""
    most: float | None = None
    choices: tuple[str, ...] = ()
    kind: type[Any] | None = None
    """Where the default is None."""

    @property
    def type(self) -> type[Any]:
        """str, bool, int, float or Duration."""
        return self.kind or type(self.default)

    @property
    def flag(self) -> str:
        """As the command line spells it."""
        return "--" + self.name.replace("_", "-")

    @property
    def bounds(self) -> str:
        """The bounds of a duration as a sentence, nothing where there are none."""
        if self.type is bool:
            return ""
        if self.least and self.most:
            return f" From {self._bound(self.least)} to {self._bound(self.most)}."
        return f" At most {self._bound(self.most)}." if self.most else ""

    def check(self, value: Any) -> None:
        """Raises InvalidSetting when the value is out of bounds."""
        number = value.seconds if isinstance(value, Duration) else value
        if isinstance(number, float) and not math.isfinite(number):
            self._refuse(value, "it is not a number")
        if self.choices and value not in self.choices:
            self._refuse(value, f"it is one of {', '.join(self.choices)}")
        if self.least is not None and number < self.least:
            self._refuse(value, f"the least is {self._bound(self.least)}")
        if self.most is not None and number > self.most:
            self._refuse(value, f"the most is {self._bound(self.most)}")

    def _refuse(self, value: Any, cause: str) -> None:
        raise InvalidSetting(
            f"{self.flag} {value} is not right",
            cause=cause,
            fix=f"correct {self.flag}, or {self.variable} where that is set",
        )

    def _bound(self, bound: float) -> str:
        return str(Duration(bound)) if self.type is Duration else f"{bound:g}"

"""The options of `bench run`, made from the one table that declares them."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Optional

import typer

from temporal_dsql_deploy.bench.option import Duration, Option
from temporal_dsql_deploy.bench.options import OPTIONS


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """The function with a parameter for each option; it gets their values together as `given`."""
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.name != "given"]
    parameters = [*own, *(_parameter(option) for option in OPTIONS)]

    @wraps(function)
    def called(**values: Any) -> None:
        given = {option.name: values.pop(option.name) for option in OPTIONS}
        function(given=given, **values)

    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _parameter(option: Option) -> inspect.Parameter:
    kind: Any = option.type
    details: dict[str, Any] = {"envvar": option.variable, "help": option.help}
    default = option.default
    if kind in {int, float}:
        details.update(min=option.least, max=option.most)
    if kind is Duration:
        details["help"] += option.bounds
        details.update(parser=_duration, metavar="DURATION")
        # Typer shows a default as it is given here, and reads it as it reads the user's.
        default = None if default is None else str(default)
    declared: Any = typer.Option(option.flag, **details)
    annotation: Any = Annotated[Optional[kind] if default is None else kind, declared]  # noqa: UP045 - `kind | None` is no type to a type checker
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _duration(text: str) -> Duration:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

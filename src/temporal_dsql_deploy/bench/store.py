"""Where results are kept: a document and a report each, in one folder."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from temporal_dsql_deploy.bench.report.page import page
from temporal_dsql_deploy.bench.results import SCHEMA_VERSION, BenchResult, Document
from temporal_dsql_deploy.environments.find import results_directory
from temporal_dsql_deploy.errors import DirectoryUnusable, NotAResult, UnknownChoice
from temporal_dsql_deploy.platforms import files

LAST = "last"
_ADAPTER = TypeAdapter(BenchResult)


@dataclass(frozen=True, slots=True)
class Saved:
    """The files of one result."""

    document: Path
    report: Path


@dataclass(frozen=True, slots=True)
class Listed(Document):
    """One result in a list."""

    id: str
    timestamp: datetime
    environment: str
    address: str
    workload: str
    target_rate: float
    throughput: float
    p99: float
    """Milliseconds."""
    passed: bool


@dataclass(frozen=True, slots=True)
class ResultList(Document):
    """The results that are kept, the oldest first."""

    results: list[Listed]


def folder(given: Path | None) -> Path:
    """Where results are kept; made when it is not there. Raises DirectoryUnusable."""
    path = given.expanduser() if given else results_directory()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DirectoryUnusable(
            f"results cannot be kept in {path}",
            cause=str(error.strerror),
            fix="name another folder with --results-dir",
        ) from error
    return path


def document(result: BenchResult) -> str:
    """The result as JSON."""
    return _ADAPTER.dump_json(result, indent=1, by_alias=True).decode() + "\n"


def save(result: BenchResult, where: Path) -> Saved:
    """Write document and report. Raises DirectoryUnusable."""
    saved = _files(where / f"{result.id}.json")
    try:
        files.write(saved.report, page(result))
        # Last: what is listed is whole.
        files.write(saved.document, document(result))
    except OSError as error:
        raise DirectoryUnusable(
            f"the result cannot be written to {where}",
            cause=str(error.strerror),
            fix="make room there, or name another folder with --results-dir",
        ) from error
    return saved


def load(which: str, where: Path) -> tuple[BenchResult, Saved]:
    """A result by its id, its file, or `last`. Raises UnknownChoice, NotAResult."""
    path = _find(which, where)
    return read(path), _files(path)


def read(path: Path) -> BenchResult:
    """The result in a file. Raises NotAResult."""
    try:
        text = path.read_text(encoding="utf-8")
        has = json.loads(text).get("schemaVersion")
        if has != SCHEMA_VERSION:
            raise NotAResult(
                f"{path} is no result that can be read",
                cause=f"its schemaVersion is {has}, not {SCHEMA_VERSION}",
                fix="read it with the version of dsql-deploy that wrote it",
            )
        return _ADAPTER.validate_json(text)
    except (OSError, ValueError, AttributeError) as error:
        said = _first(error) if isinstance(error, ValidationError) else str(error)
        raise NotAResult(
            f"{path} is no result of a benchmark",
            cause=said,
            fix="name a file that bench run has written; dsql-deploy bench results lists them",
        ) from error


def listed(where: Path) -> ResultList:
    """All results of the folder; what is none there is passed over."""
    found = []
    for path in where.glob("*.json"):
        try:
            found.append(_listed(read(path)))
        except NotAResult:
            continue
    return ResultList(sorted(found, key=lambda one: one.timestamp))


def _find(which: str, where: Path) -> Path:
    if which == LAST:
        all_of_them = listed(where).results
        if all_of_them:
            return where / f"{all_of_them[-1].id}.json"
    as_id = where / f"{which}.json"
    if Path(which).name == which and as_id.is_file():
        return as_id
    if Path(which).is_file():
        return Path(which)
    known = [one.id for one in listed(where).results]
    raise UnknownChoice(
        f"there is no result {which!r}",
        cause=f"known in {where}: {', '.join(known[-5:]) or 'none'}",
        fix="list them with: dsql-deploy bench results",
    )


def _files(path: Path) -> Saved:
    return Saved(path, path.with_suffix(".html"))


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"


def _listed(result: BenchResult) -> Listed:
    return Listed(
        id=result.id,
        timestamp=result.timestamp,
        environment=result.system.environment,
        address=result.system.address,
        workload=result.config.workflow_type,
        target_rate=result.config.target_rate,
        throughput=result.results.actual_rate,
        p99=result.results.latency.p99,
        passed=result.passed,
    )

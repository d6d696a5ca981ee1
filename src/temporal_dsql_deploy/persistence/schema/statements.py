"""SQL text as single statements, and what a statement does, as far as applying it must know.

Temporal's own tools split at semicolons and at words such as IF and BEGIN, which they find inside
`CREATE TABLE IF NOT EXISTS` too (temporal-dsql-tool of commit cf90c57: ``unmatched `i` ``). Here
only what PostgreSQL's lexer knows counts: quotes, dollar quotes and comments.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
    (?P<string>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')
    | (?P<identifier>"(?:[^"]|"")*")
    | (?P<line_comment>--[^\n]*)
    | (?P<comment>/\*)
    | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
    | (?P<end>;)
    | (?P<word>\w[\w$]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_SPACE = re.compile(r"\s+")
_NAME = r'(?:"?public"?\.)?"?(\w+)"?'
_IF = r"(?:IF (?:NOT )?EXISTS )?"
_CREATED_TABLE = re.compile(rf"CREATE TABLE {_IF}{_NAME}", re.IGNORECASE)
_DROPPED_TABLE = re.compile(rf"DROP TABLE {_IF}{_NAME}", re.IGNORECASE)
_CREATED_INDEX = re.compile(
    rf"CREATE (?:UNIQUE )?INDEX (?:ASYNC |CONCURRENTLY )?{_IF}{_NAME} ON {_NAME}", re.IGNORECASE
)
_DROPPED_INDEX = re.compile(rf"DROP INDEX {_IF}{_NAME}", re.IGNORECASE)
_ASYNC = re.compile(r"^(CREATE (?:UNIQUE )?INDEX )ASYNC ", re.IGNORECASE)
_CONCURRENTLY = re.compile(r"^(?:CREATE (?:UNIQUE )?|DROP )INDEX CONCURRENTLY ", re.IGNORECASE)


class Unfinished(ValueError):
    """A quote or a comment that does not end; the message is how it begins."""


def split(text: str) -> list[str]:
    """The statements of a script, without their semicolons and without comments.

    White space outside of quotes becomes one blank, which changes nothing for PostgreSQL.
    Raises Unfinished.
    """
    found, current = [], ""
    for part in _parts(text):
        if part == ";":
            found.append(current.strip())
            current = ""
        elif part != " " or not current.endswith(" "):
            current += part
    found.append(current.strip())
    return [statement for statement in found if statement]


def _parts(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        assert token is not None  # noqa: S101 - the last alternative takes any character
        end = token.end()
        if token["comment"]:
            end = _comment_end(text, position)
        elif token["dollar"]:
            end = text.find(token["dollar"], end) + len(token["dollar"])
            if end < token.end() + len(token["dollar"]):
                raise Unfinished(text[position : position + 40])
        elif token["other"] in {"'", '"'}:
            raise Unfinished(text[position : position + 40])
        blank = token["comment"] or token["line_comment"] or (token["other"] or "x").isspace()
        yield " " if blank else text[position:end]
        position = end


def _comment_end(text: str, start: int) -> int:
    """Where a comment ends that begins here; they nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise Unfinished(text[start : start + 40])


def creates(statement: str) -> tuple[str, str] | None:
    """`table` or `index`, and the name of what it creates; None for any other statement."""
    return _object(statement, _CREATED_TABLE, _CREATED_INDEX)


def table_of(statement: str) -> str:
    """The table that a statement which creates something is about."""
    found = _CREATED_TABLE.match(statement) or _CREATED_INDEX.match(statement)
    return found[found.re.groups].lower() if found else ""


def drops(statement: str) -> tuple[str, str] | None:
    """`table` or `index`, and the name of what it drops; None for any other statement."""
    return _object(statement, _DROPPED_TABLE, _DROPPED_INDEX)


def _object(
    statement: str, table: re.Pattern[str], index: re.Pattern[str]
) -> tuple[str, str] | None:
    for kind, pattern in (("table", table), ("index", index)):
        if found := pattern.match(statement):
            # An identifier without quotes is in lower case, and Temporal quotes none.
            return kind, found[1].lower()
    return None


def is_async(statement: str) -> bool:
    """Whether it is CREATE INDEX ASYNC, which is DSQL's alone and makes a job."""
    return _ASYNC.match(statement) is not None


def without_async(statement: str) -> str:
    """The same for PostgreSQL, which makes an index while one waits."""
    return _ASYNC.sub(r"\1", statement)


def outside_transactions(statement: str) -> bool:
    """Whether PostgreSQL refuses it inside a transaction of several statements."""
    return _CONCURRENTLY.match(statement) is not None

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.persistence.schema import statements

SCRIPT = """\
-- Stores things; not many.
CREATE TABLE IF NOT EXISTS things(
  id INT NOT NULL, -- its number; "quoted"
  /* it's /* nested */ here; */
  kind VARCHAR(16) DEFAULT 'a;b''c -- d' NOT NULL
);
INSERT INTO things (id, kind) VALUES (54321, E'it\\'s;');

DO LANGUAGE 'plpgsql' $$
BEGIN
  PERFORM 1;  -- stays
END $$;
CREATE UNIQUE INDEX ASYNC idx_things ON things (id)"""


def test_statements_end_at_semicolons_that_are_not_quoted() -> None:
    table, insert, procedure, index = statements.split(SCRIPT)
    assert table == (
        "CREATE TABLE IF NOT EXISTS things( id INT NOT NULL, "
        "kind VARCHAR(16) DEFAULT 'a;b''c -- d' NOT NULL )"
    )
    assert insert == "INSERT INTO things (id, kind) VALUES (54321, E'it\\'s;')"
    assert procedure.endswith("$$\nBEGIN\n  PERFORM 1;  -- stays\nEND $$")
    assert index == "CREATE UNIQUE INDEX ASYNC idx_things ON things (id)"


WORDS = st.sampled_from(["CREATE", "IF", "BEGIN", "x1", "(", ")", ",", "=", "1.5", "$1", "a$b"])
QUOTED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(
    lambda text: "'" + text.replace("'", "''") + "'"
)
NAMED = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(
    lambda text: '"' + text.replace('"', '""') + '"'
)
PROCEDURE = st.text("ab;'-/*\n ", max_size=12).map(lambda text: f"$body$ {text} $body$")
STATEMENT = st.lists(WORDS | QUOTED | NAMED | PROCEDURE, min_size=1, max_size=8)
BLANK = st.sampled_from([" ", "\n\t", " -- it's; a comment\n", "/* ; ' /* \" */ $$ */"])


@given(st.lists(STATEMENT, max_size=6), st.data())
def test_any_statements_are_found_again_whatever_stands_between(
    wanted: list[list[str]], data: st.DataObject
) -> None:
    script = ";".join(
        "".join(data.draw(BLANK) + part for part in parts) + data.draw(BLANK) for parts in wanted
    )
    assert statements.split(script) == [" ".join(parts) for parts in wanted]


@pytest.mark.parametrize(
    "text", ["SELECT 'a", 'SELECT "a', "SELECT /* a /* b */", "DO $$ x", "DO $a$ $$"]
)
def test_what_does_not_end_is_refused(text: str) -> None:
    with pytest.raises(statements.Unfinished):
        statements.split(text)


@pytest.mark.parametrize(
    ("statement", "made", "gone", "table"),
    [
        ("CREATE TABLE IF NOT EXISTS Things(id INT)", ("table", "things"), None, "things"),
        ("CREATE TABLE public.things (id INT)", ("table", "things"), None, "things"),
        ("CREATE UNIQUE INDEX ASYNC one ON things (id)", ("index", "one"), None, "things"),
        (
            "create index concurrently if not exists one on things (id)",
            ("index", "one"),
            None,
            "things",
        ),
        ('DROP TABLE IF EXISTS public."things"', None, ("table", "things"), ""),
        ("DROP INDEX one", None, ("index", "one"), ""),
        ("ALTER TABLE things ADD data BYTEA", None, None, ""),
    ],
)
def test_what_is_created_and_dropped_is_known(
    statement: str, made: tuple[str, str] | None, gone: tuple[str, str] | None, table: str
) -> None:
    assert statements.creates(statement) == made
    assert statements.drops(statement) == gone
    assert statements.table_of(statement) == table


def test_an_index_is_made_at_once_where_there_is_no_async() -> None:
    statement = "CREATE UNIQUE INDEX ASYNC one ON things (id)"
    assert statements.is_async(statement)
    assert statements.without_async(statement) == "CREATE UNIQUE INDEX one ON things (id)"
    assert not statements.is_async(statements.without_async(statement))
    assert statements.outside_transactions("DROP INDEX CONCURRENTLY one")
    assert not statements.outside_transactions(statement)

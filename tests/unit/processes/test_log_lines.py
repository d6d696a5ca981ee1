"""Lines of the embedded server's log."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.platforms.processes import log_lines
from temporal_dsql_deploy.platforms.protocol import LogLine, LogQuery

JSON_LINE = (
    '{"time":"2026-11-21T09:16:13.803819886Z","level":"WARN","msg":"Created gRPC listener",'
    '"service":"history","address":"127.0.0.1:44137"}'
)


def test_a_line_of_the_server() -> None:
    assert log_lines.parse(JSON_LINE) == LogLine(
        component="history",
        message="Created gRPC listener",
        time=datetime(2026, 11, 21, 9, 16, 13, 803819, UTC),
        level="WARN",
        fields={"address": "127.0.0.1:44137"},
    )


def test_plain_lines_are_the_servers_and_empty_ones_are_none() -> None:
    assert log_lines.parse("Error: no") == LogLine(component="server", message="Error: no")
    assert log_lines.parse("  ") is None


def test_a_part_of_a_role_is_that_roles() -> None:
    line = log_lines.parse('{"msg":"x","component":"shard-controller"}')
    assert line == LogLine("history", "x", fields={"component": "shard-controller"})
    other = log_lines.parse('{"msg":"x","component":"metadata-initializer"}')
    assert other is not None
    assert other.component == "server"


@given(text=st.text() | st.from_regex(r'\{"(msg|time|level|service)": ?("[^"]*"|\d+|null)\}'))
def test_any_text_is_a_line_or_none(text: str) -> None:
    line = log_lines.parse(text)
    assert (line is None) == (not text.strip())


def test_a_query_asks_by_component_and_level() -> None:
    line = log_lines.parse(JSON_LINE)
    plain = log_lines.parse("plain")
    assert line is not None
    assert plain is not None
    for component, level, expected in (
        (None, None, True),
        ("history", None, True),
        ("matching", None, False),
        (None, "info", True),
        (None, "error", False),
        ("history", "warn", True),
    ):
        assert log_lines.wanted(line, LogQuery(component, level)) is expected
    assert log_lines.wanted(plain, LogQuery(level="error"))


def test_a_line_of_a_process_is_its_components() -> None:
    line = log_lines.of_process(JSON_LINE, "matching", "matching-2")
    assert line is not None
    assert (line.component, line.level) == ("matching", "WARN")
    assert line.fields == {"instance": "matching-2", "address": "127.0.0.1:44137"}


def test_a_line_of_temporal_server_has_its_time() -> None:
    line = log_lines.of_process(
        '{"level":"info","ts":"2026-11-21T09:16:13.803Z","msg":"x"}', "ui", "ui"
    )
    assert line == LogLine("ui", "x", datetime(2026, 11, 21, 9, 16, 13, 803000, UTC), "INFO")


def test_a_line_of_postgresql_is_read() -> None:
    text = "2026-11-21 09:16:13.803 UTC [77] FATAL:  the database system is starting up"
    assert log_lines.of_process(text, "database", "database") == LogLine(
        component="database",
        message="the database system is starting up",
        time=datetime(2026, 11, 21, 9, 16, 13, 803000, UTC),
        level="ERROR",
    )
    assert log_lines.of_process("\tDETAIL", "database", "database") == LogLine(
        "database", "\tDETAIL"
    )
    assert log_lines.of_process("  ", "database", "database") is None


def test_a_line_of_opensearch_is_read() -> None:
    text = "2026-11-22 03:28:08.488 UTC [77] WARN: o.o.b.BootstrapChecks: max_map_count is too low"
    assert log_lines.of_process(text, "opensearch", "opensearch") == LogLine(
        component="opensearch",
        message="o.o.b.BootstrapChecks: max_map_count is too low",
        time=datetime(2026, 11, 22, 3, 28, 8, 488000, UTC),
        level="WARN",
    )


def test_a_stack_trace_is_not_what_a_process_said() -> None:
    said = ["java.lang.IllegalStateException: modules directory not found", "see the log"]
    trace = ["\tat org.opensearch.cli.Command.main(Command.java:101)", "\t... 6 more"]
    assert log_lines.complaints("\n".join([said[0], *trace, said[1]])) == said


def test_what_a_process_said_last_is_without_its_chatter() -> None:
    said = ['{"level":"info","msg":"started"}', "panic: no database"]
    said += [f'{{"level":"error","msg":"{number}"}}' for number in range(4)]
    assert log_lines.complaints("\n".join(said)) == said[1:]
    assert log_lines.complaints("\n".join([*said, "x" * 400])) == [*said[2:], "x" * 300]


def test_values_that_any_server_has_refused_are_told_once() -> None:
    refused = "Failed to convert value, using default"
    line = f'{{"level":"warn","msg":"{refused}","key":"Limit.MaxIDLength"}}'
    given = {"limit.maxIDLength": "many", "frontend.rps": 5}
    sentence = 'dynamic config limit.maxIDLength = "many" has the wrong type: the server ignores it'
    assert log_lines.refused_values([line, f"{line}\n{line}"], given) == [sentence]
    assert log_lines.refused_values(["", '{"msg":"other","key":"frontend.rps"}'], given) == []

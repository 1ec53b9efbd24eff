"""A runbook as YAML: written, read, and what is refused however it is built."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webapp.runbooks.sheets.export import PlanRow
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.sheets.table import About, FileRefused, Table
from webapp.runbooks.sheets.yaml_files import PlanHead, write_yaml

HEAD = PlanHead(
    "Failover: A to B",
    "Two\nlines",
    datetime(2026, 12, 24, 17, 0, tzinfo=UTC),
    [("Comms", 3, ""), ("Database", 11, "")],
)
ROWS = [
    PlanRow(1, "=Open the bridge", "Comms", duration_s=600, people=["rune@example.com"]),
    PlanRow(
        2,
        "yes",
        "Database",
        "Stop: now",
        [1],
        datetime(2026, 12, 24, 18, 0, tzinfo=UTC),
        5400,
        ["a@b.c", "d@e.f"],
    ),
]
WAYS = ["Task type", "Linked runbook", "Fixed start", "Starts by itself", "Who starts", "Who finishes"]
START = b"runsheet: runbook 1\n"


def test_a_runbook_is_written_for_people_to_read_and_compare() -> None:
    assert write_yaml(HEAD, ROWS).decode() == (
        "runsheet: runbook 1\n"
        "name: 'Failover: A to B'\n"
        "description: |-\n"
        "  Two\n"
        "  lines\n"
        "planned_start: '2026-12-24 17:00:00+00:00'\n"
        "streams:\n"
        "- name: Comms\n"
        "  color: 3\n"
        "- name: Database\n"
        "  color: 11\n"
        "tasks:\n"
        "- number: 1\n"
        "  title: =Open the bridge\n"
        "  stream: Comms\n"
        "  duration: 10m\n"
        "  assignees:\n"
        "  - rune@example.com\n"
        "- number: 2\n"
        "  title: 'yes'\n"
        "  stream: Database\n"
        "  description: 'Stop: now'\n"
        "  predecessors:\n"
        "  - 1\n"
        "  planned_start: '2026-12-24 18:00:00+00:00'\n"
        "  duration: 1h 30m\n"
        "  assignees:\n"
        "  - a@b.c\n"
        "  - d@e.f\n"
    )


def test_it_is_read_as_a_table_with_what_it_says_of_the_runbook() -> None:
    table = read(write_yaml(HEAD, ROWS))
    assert [list(each.cells) for each in table.lines] == [
        [
            "ID",
            "Title",
            "Stream",
            "Description",
            "Predecessors",
            "Planned start",
            "Duration",
            "Assignees",
            *WAYS,
        ],
        ["1", "=Open the bridge", "Comms", "", "", "", "10m", "rune@example.com"],
        ["2", "yes", "Database", "Stop: now", "1", "2026-12-24 18:00:00+00:00", "1h 30m", "a@b.c; d@e.f"],
    ]
    assert table.kind == "YAML of Failover: A to B"
    assert table.about == About("Two\nlines", "2026-12-24 17:00:00+00:00", {"comms": 3, "database": 11})
    assert Table.from_json(table.as_json()) == table


def test_comments_and_a_mark_before_the_first_line_are_skipped() -> None:
    data = b"\xef\xbb\xbf# our plan\n\n---\r\n" + START + b"tasks:\n- title: Go\n"
    assert [list(each.cells) for each in read(data).lines][1] == ["", "Go"]


def test_a_sheet_whose_first_cell_only_looks_like_it_is_a_sheet() -> None:
    assert read(b"runsheet,title\n1,Go\n").kind == "CSV, separated by commas"


def bomb() -> bytes:
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [b"a%d: &a%d [%s]" % (at, at, b", ".join([b"*a%d" % (at - 1)] * 10)) for at in range(1, 20)]
    return START + b"\n".join(lines)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            START + b"x: " + b"[" * 200_000,
            "The YAML nests deeper than a runbook does. Export the runbook again.",
        ),
        (
            START + b"x: " + b"{a: " * 200_000,
            "The YAML nests deeper than a runbook does. Export the runbook again.",
        ),
        (bomb(), "The YAML has aliases (*), which are not read. Write the values out."),
        (
            START + b"tasks: [",
            "The YAML cannot be read from line 3 on. Mend it, or export the runbook again.",
        ),
        (START + b"x: \xff\xfe", "The YAML cannot be read. Mend it, or export the runbook again."),
        (
            START + b"? [a]\n: b",
            "The YAML has a list or mapping where a name belongs. Export the runbook again.",
        ),
        (
            b"runsheet: template 9\n",
            "This YAML is of another kind; the first line of a runbook’s is “runsheet: runbook 1”.",
        ),
        (START + b"tasks: {a: b}", "“tasks” has to be a list of at most 5,000 tasks."),
        (START + b"tasks:\n" + b"- {title: a}\n" * 5001, "“tasks” has to be a list of at most 5,000 tasks."),
        (START + b"tasks: [{title: [a]}]", "“title” of task 1 has to be a plain value."),
        (
            START + b"tasks: [{title: a, assignees: [[b]]}]",
            "“assignees” of task 1 has to be a list of plain values.",
        ),
        (
            START + b"tasks: [{titel: a}]",
            (
                "Task 1 of the file is none. A task has these entries, and no others: number, title, stream, "
                "description, predecessors, planned_start, duration, assignees, "
                "type, linked_runbook, fixed_start, starts_by_itself, who_starts, who_finishes, "
                "integration_action, fields."
            ),
        ),
        (START + b"x: " + b"y" * 3_000_000, "A YAML file may have at most 3 MB. Use CSV or XLSX instead."),
    ],
    ids=[
        "lists",
        "mappings",
        "aliases",
        "cut",
        "bytes",
        "key",
        "kind",
        "tasks",
        "many",
        "value",
        "list",
        "entry",
        "size",
    ],
)
def test_what_is_no_runbook_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(data)
    assert str(refusal.value) == sentence


def test_a_tag_makes_no_object() -> None:
    data = START + b"tasks: [{title: !!python/object/apply:os.getcwd []}]"
    with pytest.raises(FileRefused, match=r"^“title” of task 1 has to be a plain value\.$"):
        read(data)

"""A table under a mapping: its tasks, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.runbooks import durations
from webapp.runbooks.rules import in_words
from webapp.runbooks.sheets.columns import BY_KEY, COLUMNS, PlanMapping, guess, zone_in
from webapp.runbooks.sheets.export import PlanRow, as_csv, as_xlsx
from webapp.runbooks.sheets.loops import loops
from webapp.runbooks.sheets.plan import Checked, Person, Problem, check
from webapp.runbooks.sheets.reading import read
from webapp.runbooks.sheets.ways import OfferedRunbook, OfferedType, OfferedWays
from webapp.runbooks.sheets.yaml_files import PlanHead, write_yaml

RUNE = Person(1, "Rune", "rune@example.com")
VERA = Person(2, "Vera Young", "vera@example.com")
JANE = Person(3, "Doe, Jane", "jane@example.com")
TWINS = [Person(4, "Kim Lee", "kim@example.com"), Person(5, "Kim Lee", "lee@example.com")]
PEOPLE = [RUNE, VERA, JANE, *TWINS]
OFFERED = OfferedWays(
    types={
        "task": OfferedType("normal"),
        "milestone": OfferedType("milestone", point=True, auto_start=True),
        "linked runbook": OfferedType("runbook", links=True, may_auto_start=False),
        "slack: post to a channel": OfferedType("integration", 7),
    },
    runbooks={"dns cutover": [OfferedRunbook(12)]},
)


def checked(text: str, *, columns: Sequence[str] | None = None, **options: str | bool) -> Checked:
    table = read(text.encode())
    keys = tuple(columns) if columns is not None else guess(table.lines[0].cells, table.width)
    return check(table, PlanMapping(keys, **{"zone": "UTC", **options}), PEOPLE, OFFERED)  # type: ignore[arg-type]


def problems(text: str, **options: str | bool) -> list[tuple[int | None, str, str]]:
    return [(each.row, each.column, each.cause) for each in checked(text, **options).problems]


@pytest.mark.parametrize(
    ("headings", "keys"),
    [
        (["ID", "Title", "Stream", "Description"], ["number", "title", "stream", "description"]),
        (
            ["Task ID", "Task Name", "Depends on", "Duration (min)"],
            ["number", "title", "predecessors", "duration"],
        ),
        (
            ["Nr.", "Vorgangsname", "Dauer", "Anfang", "Vorgänger"],
            ["number", "title", "duration", "start", "predecessors"],
        ),
        (["start_date", "ASSIGNED TO", "Budget"], ["start", "assignees", ""]),
        (["Name", "Title"], ["title", ""]),
        (["Planned start (Europe/Berlin)", "Team [lead]"], ["start", "stream"]),
        ([each.heading for each in COLUMNS], [each.key for each in COLUMNS]),
    ],
)
def test_columns_are_guessed_from_their_headings(headings: list[str], keys: list[str]) -> None:
    assert list(guess(headings, len(headings))) == keys


def test_no_heading_is_the_name_of_two_columns() -> None:
    names = [name for each in COLUMNS for name in each.names]
    assert sorted(names) == sorted(set(names))


def test_a_heading_can_name_the_time_zone() -> None:
    assert [zone_in(each) for each in ("Planned start (Europe/Berlin)", "Start (UTC)", "Start")] == [
        "Europe/Berlin",
        "UTC",
        None,
    ]


def test_a_clean_file_becomes_tasks() -> None:
    found = checked(
        "ID,Title,Stream,Description,Predecessors,Planned start,Duration,Assignees\n"
        "10,Open the bridge,Comms,Call the roll,,2026-12-24 18:00,10,rune@example.com\n"
        '20,Stop writes,Database,,10,,1h 30m,"Vera Young; Doe, Jane"\n'
        ",,,,,,,\n"
        '30,Go,database,,"#10, 20",,,"RUNE, vera@example.com"\n'
    )
    assert found.problems == []
    assert [
        (each.row, each.reference, each.title, each.stream, each.before, each.duration_s, each.people)
        for each in found.tasks
    ] == [
        (2, "10", "Open the bridge", "Comms", [], 600, [1]),
        (3, "20", "Stop writes", "Database", [2], 5400, [2, 3]),
        (5, "30", "Go", "database", [2, 3], 300, [1, 2]),
    ]
    assert found.tasks[0].start == datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
    assert (found.numbers, found.streams) == ([10, 20, 30], ["Comms", "Database"])


def test_every_bad_row_is_listed_with_row_column_cause_and_remedy() -> None:
    found = checked(
        "ID,Title,Stream,Description,Predecessors,Planned start,Duration,Assignees\n"
        "1,,S,,,,,\n"
        f"2,{'x' * 301},{'y' * 121},{'z' * 10_001},,,,\n"
        "3,Bad values,,,,31.02.2026,a while,nobody@example.com\n"
        "3,Same id,,,9; 4,,,Kim Lee\n"
        "4,Waits for itself,,,4,,,\n"
    )
    assert found.problems == [
        Problem(2, "B Title", "The title is missing.", "Write the task’s name."),
        Problem(
            3,
            "B Title",
            "Title has 301 characters; 300 are allowed.",
            "Shorten it, and put the rest into the description.",
        ),
        Problem(3, "C Stream", "A stream’s name has 121 characters; 120 are allowed.", "Shorten it."),
        Problem(3, "D Description", "Description has 10,001 characters; 10,000 are allowed.", "Shorten it."),
        Problem(
            4,
            "F Planned start",
            "There is no 31 February 2026.",
            "Correct it, or choose the other order of day and month.",
        ),
        Problem(
            4, "G Duration", "“a while” is no duration.", "Write it such as 1h 30m, 90 (minutes) or 1:30."
        ),
        Problem(
            4,
            "H Assignees",
            "“nobody@example.com” is nobody in this workspace.",
            "Write the email or the full name of a member, or have the person added to the workspace.",
        ),
        Problem(5, "H Assignees", "2 people are called “Kim Lee”.", "Write the email instead."),
        Problem(5, "A ID", "The ID 3 is also that of row 4.", "Give each task an ID of its own."),
        Problem(
            5,
            "E Predecessors",
            "There is no task with the ID 9.",
            "Write the ID of a task in this file, or choose above what the predecessors refer to.",
        ),
        Problem(6, "E Predecessors", "The task waits for itself.", "Take it out of its own predecessors."),
    ]
    assert found.bad_rows == 5


def test_a_stream_may_be_part_of_one_that_is_part_of_none() -> None:
    assert checked("Title,Stream\nStop,Database / Replicas\nGo,CI/CD\n").streams == [
        "Database / Replicas",
        "CI/CD",
    ]
    assert problems("Title,Stream\nStop,A / B / C\n") == [
        (2, "B Stream", "“A / B / C” is a stream in a stream in a stream.")
    ]


def test_a_loop_is_named() -> None:
    text = "ID,Title,Predecessors\n1,Plan,\n2,Build,1; 4\n3,Test,2\n4,Ship,3\n5,Rest,4\n6,Eat,7\n7,Cook,6\n"
    assert problems(text) == [
        (3, "C Predecessors", "A loop: #2 Build waits for #4 Ship waits for #3 Test waits for #2 Build."),
        (7, "C Predecessors", "A loop: #6 Eat waits for #7 Cook waits for #6 Eat."),
    ]


def test_predecessors_can_be_row_numbers_of_the_file() -> None:
    found = checked("Title,Predecessors\nOne,\nTwo,2\nThree,2 3\n", references="row")
    assert [each.before for each in found.tasks] == [[], [2], [2, 3]]
    assert problems("Title,Predecessors\nOne,7\n") == [
        (2, "B Predecessors", "There is no task with the row 7.")
    ]
    assert problems("Title,Predecessors\nOne,1\n") == [
        (2, "B Predecessors", "There is no task with the row 1.")
    ]


def test_ids_may_be_any_text_and_then_numbers_follow() -> None:
    found = checked("Key,Title,Depends on\nDB-1,One,\nDB 2,Two,db-1\nDB-3,Three,DB 2\n")
    assert ([each.before for each in found.tasks], found.numbers) == ([[], [2], [3]], None)


def test_a_file_without_a_heading_row_keeps_its_first_task() -> None:
    found = checked("One\nTwo\n", columns=["title"], headings=False)
    assert [each.title for each in found.tasks] == ["One", "Two"]


def test_a_mapping_without_a_title_or_with_two_says_so() -> None:
    assert checked("A,B\n1,2\n", columns=["", "stream"]).problems == [
        Problem(
            None, "", "No column is chosen for the title.", "Choose the column that holds the tasks’ names."
        )
    ]
    assert checked("A,B\n1,2\n", columns=["title", "title"]).problems == [
        Problem(
            None,
            "",
            "Columns A and B are both chosen for Title.",
            "Keep one of them, and leave the others out.",
        )
    ]


def test_a_file_of_headings_alone_has_no_task() -> None:
    assert problems("Title,Stream\n") == [(None, "", "The file has no task.")]


def test_a_row_that_is_torn_apart_is_bad() -> None:
    assert problems("Title,Stream\nStop, look,A\n") == [
        (2, "", "The row has 3 cells, but there are 2 columns.")
    ]


def test_the_order_of_day_and_month_is_asked_for_only_where_it_matters() -> None:
    doubtful = "Title,Start\nOne,03/04/2026\nTwo,05/06/2026\n"
    asked = checked(doubtful)
    assert asked.ask_order
    assert asked.problems == [
        Problem(
            None,
            "B Start",
            "“03/04/2026” can be read with the day or with the month first.",
            "Choose which of them comes first in this file.",
        )
    ]
    answered = checked(doubtful, date_order="mdy")
    assert (answered.ask_order, answered.problems) == (True, [])
    assert answered.tasks[0].start == datetime(2026, 3, 4, tzinfo=UTC)
    shown = checked("Title,Start\nOne,03/04/2026\nTwo,12/24/2026\n")
    assert (shown.ask_order, shown.order, shown.problems) == (True, "mdy", [])
    plain = checked("Title,Start\nOne,2026-04-03\nTwo,24.12.2026\n")
    assert (plain.ask_order, plain.problems) == (False, [])


def test_both_orders_in_one_file_are_bad_rows_whichever_is_chosen() -> None:
    text = "Title,Start\nOne,24/12/2026\nTwo,12/24/2026\n"
    assert problems(text, date_order="dmy") == [(3, "B Start", "“12/24/2026” has no month 24.")]
    assert problems(text, date_order="mdy") == [(2, "B Start", "“24/12/2026” has no month 24.")]


def test_times_are_read_in_the_zone_of_the_mapping() -> None:
    found = checked("Title,Start\nOne,2026-12-24 18:00\n", zone="Europe/Berlin")
    assert found.tasks[0].start == datetime(2026, 12, 24, 17, 0, tzinfo=UTC)


@given(st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4)))
def test_a_loop_is_found_in_each_knot_and_in_no_other_graph(links: dict[int, set[int]]) -> None:
    links = {task: {each for each in before if each != task} for task, before in links.items()}
    reached = {task: {each for each in before if each in links} for task, before in links.items()}
    for middle in links:
        for each in links:
            if middle in reached[each]:
                reached[each] |= reached[middle]
    knots = {
        frozenset(each for each in links if each in reached[task] and task in reached[each])
        for task in links
        if task in reached[task]
    }
    found = loops(links)
    assert sorted(min(each) for each in knots) == [each[0] for each in found]
    for loop in found:
        assert loop[0] == loop[-1]
        assert all(after in links[before] for before, after in pairwise(loop))


def test_a_chain_of_five_thousand_needs_no_recursion() -> None:
    assert loops({at: [at - 1] for at in range(5000)}) == []
    assert len(loops({at: [(at - 1) % 5000] for at in range(5000)})[0]) == 5001


# Round trip ------------------------------------------------------------------------------------------------------------

_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30).map(
    lambda text: " ".join(text.replace("\ufffe", "").replace("\uffff", "").split()) or "x"
)
_LINES = st.lists(_WORDS, max_size=3).map("\n".join)
_MOMENTS = st.datetimes(datetime(1991, 1, 1), datetime(2198, 1, 1), timezones=st.just(UTC))


_SOME_PEOPLE = st.lists(st.sampled_from([each.email for each in PEOPLE]), unique=True, max_size=3)
TYPES = {
    "Task": "normal",
    "Milestone": "milestone",
    "Linked runbook": "runbook",
    "Slack: Post to a channel": "integration",
}


@st.composite
def plans(draw: st.DrawFn) -> list[PlanRow]:
    """Plans as they stand in a runbook: numbers in any order, links without loops, streams told apart by capitals."""
    numbers = draw(st.lists(st.integers(1, 999_999), min_size=1, max_size=12, unique=True))
    streams = draw(st.lists(_WORDS, min_size=1, max_size=3, unique_by=str.lower))
    rows = [
        PlanRow(
            number=number,
            title=draw(_WORDS),
            stream=draw(st.sampled_from(streams)),
            description=draw(_LINES),
            before=sorted(draw(st.sets(st.sampled_from(numbers[:at])))) if at else [],
            start=draw(
                st.none() | _MOMENTS | _MOMENTS.map(lambda each: each.replace(microsecond=0, second=0))
            ),
            duration_s=draw(st.integers(0, durations.LONGEST_S)),
            people=draw(_SOME_PEOPLE),
        )
        for at, number in enumerate(numbers)
    ]
    return [ways(draw, each) for each in rows]


def ways(draw: st.DrawFn, plan: PlanRow) -> PlanRow:
    """The row with a type, and rules that its people can meet."""
    name = draw(st.sampled_from(list(TYPES)))
    kind = OFFERED.types[name.lower()]
    rules = [""] if not plan.people else ["", "Everyone assigned", f"At least {len(plan.people)}"]
    start_rule = draw(st.sampled_from(rules))
    by_itself = draw(st.sampled_from([None, not kind.auto_start])) if kind.may_auto_start else None
    return replace(
        plan,
        type=name,
        linked="DNS cutover" if kind.links and draw(st.booleans()) else "",
        duration_s=0 if kind.point else plan.duration_s,
        fixed=plan.start is not None and draw(st.booleans()),
        by_itself=(False if kind.auto_start else None) if start_rule else by_itself,
        start_rule=start_rule,
        finish_rule=draw(st.sampled_from([*rules, "Who started it"])),
    )


ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]
WRITERS: dict[str, Callable[[list[PlanRow], ZoneInfo], bytes]] = {
    "csv": as_csv,
    "xlsx": lambda plan, zone: as_xlsx(plan, zone, title="Plan"),
    "yaml": lambda plan, _zone: write_yaml(PlanHead("Plan"), plan),
}


@settings(max_examples=90, deadline=None)
@given(plans(), st.sampled_from(ZONES), st.sampled_from(sorted(WRITERS)))
def test_what_is_exported_is_imported_as_the_same_plan(plan: list[PlanRow], zone: str, kind: str) -> None:
    table = read(WRITERS[kind](plan, ZoneInfo(zone)))
    headings = table.lines[0].cells
    keys = guess(headings, table.width)
    assert keys == tuple(BY_KEY)
    named = next((found for each in headings if (found := zone_in(each))), "UTC")
    found = check(table, PlanMapping(keys, named), PEOPLE, OFFERED)
    assert found.problems == []
    assert found.numbers == [each.number for each in plan]
    numbers = dict(zip((each.row for each in found.tasks), found.numbers, strict=True))
    emails = {each.id: each.email for each in PEOPLE}
    assert [
        PlanRow(
            number=int(task.reference),
            title=task.title,
            stream=task.stream,
            description=task.description,
            before=[numbers[row] for row in task.before],
            start=task.start,
            duration_s=task.duration_s,
            people=[emails[each] for each in task.people],
            type={key: name for name, key in TYPES.items()}[task.type],
            linked="DNS cutover" if task.linked_id == 12 else "",
            fixed=task.fixed_start,
            by_itself=None if task.auto_start == (task.type == "milestone") else task.auto_start,
            start_rule=_rule(task.start_rule, task.start_quorum),
            finish_rule=_rule(task.finish_rule, task.finish_quorum),
        )
        for task in found.tasks
    ] == plan


def _rule(rule: str, quorum: int) -> str:
    return "" if rule == "anyone" else in_words(rule, quorum)

"""`python -m bench.forecast`: how long one change of a large runbook's forecast takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import click

from webapp.runbooks.forecast import Forecast, Times

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def plan(tasks: int, links: int, chance: random.Random) -> tuple[dict[int, list[int]], dict[int, Times]]:
    """That many tasks and links; a task waits for some of the two hundred before it, as in a long cutover."""
    before: dict[int, list[int]] = {number: [] for number in range(tasks)}
    left = links
    while left:
        task = chance.randrange(1, tasks)
        each = chance.randrange(max(0, task - 200), task)
        if each not in before[task]:
            before[task].append(each)
            left -= 1
    return before, {number: Times(timedelta(minutes=chance.randrange(1, 60))) for number in range(tasks)}


def measure(*, tasks: int, links: int, rounds: int) -> Iterator[str]:
    """Lines of medians and worst times, in milliseconds."""
    chance = random.Random(3)
    before, times = plan(tasks, links, chance)
    yield f"{tasks} tasks, {links} links, {rounds} rounds; median and worst in ms"
    made = timed(lambda: Forecast(before, times, begin=BEGIN, moment=BEGIN), 5)
    yield line("made from nothing", made)
    held = Forecast(before, times, begin=BEGIN, moment=BEGIN)
    reached: list[int] = []

    def change(task: int) -> None:
        more = Times(timedelta(minutes=chance.randrange(1, 600)))
        reached.append(len(held.change(task, more)))
        assert held.finish is not None

    yield line(
        "one change of any task, and the finish", timed(lambda: change(chance.randrange(tasks)), rounds)
    )
    yield f"  tasks that it moved: median {median(reached):.0f}, most {max(reached)}"
    held = Forecast(before, times, begin=BEGIN, moment=BEGIN)
    first = held.critical_path[0]
    reached.clear()
    yield line("one change at the head of the critical path", timed(lambda: change(first), rounds))
    yield f"  tasks that it moved: median {median(reached):.0f}, most {max(reached)}"

    def everything() -> None:
        change(first)
        assert held.critical_path
        assert held.slack(0) is not None

    yield line("the same, critical path and everyone's slack", timed(everything, rounds))

    def link() -> None:
        task = chance.randrange(200, tasks)
        held.change(task, predecessors=[*before[task], chance.randrange(task - 200, task)])
        assert held.finish is not None

    yield line("one new predecessor, and the finish", timed(link, rounds))


def timed(act: Callable[[], object], rounds: int) -> list[float]:
    """How long each round took, in milliseconds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    return took


def line(what: str, took: list[float]) -> str:
    return f"{what}: {median(took):.2f}, {max(took):.2f}"


@click.command()
@click.option("--tasks", default=10_000, show_default=True)
@click.option("--links", default=20_000, show_default=True)
@click.option("--rounds", default=200, show_default=True)
def main(tasks: int, links: int, rounds: int) -> None:
    """Measure the forecast of a runbook of that size: made from nothing, and after one change."""
    for each in measure(tasks=tasks, links=links, rounds=rounds):
        click.echo(each)


if __name__ == "__main__":
    main()

"""Where the node map draws each task and link: swim lanes, columns, and orthogonal lines. Pure: standard library only.

A task stands in the column of its longest chain of predecessors and in its stream's lane. Within lane and column tasks are
ordered by where their neighbours stand (barycentre), and take the free row nearest to what they wait for. Lines run only
between the columns (gutters) and between the rows (gaps), where no task stands, each in a track of its own as far as
there is room. The same input gives the same picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from webapp.runbooks.graph import followers_of, in_order

Point = tuple[int, int]

NODE_WIDTH, NODE_HEIGHT = 200, 34
MARGIN, LANE_PAD = 16, 8
GUTTER, GAP, TRACK = 32, 12, 6
MOST_GUTTER_TRACKS, MOST_GAP_TRACKS = 14, 6
SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A link from the predecessor `before` to `after`, as the corners of an orthogonal line."""

    before: int
    after: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A lane's place from top to bottom, in pixels."""

    lane: Hashable
    y: int
    height: int


@dataclass
class Layout:
    """The drawing in pixels: the upper left corner of each task, lanes, lines, and the size of it all."""

    width: int = 0
    height: int = 0
    places: dict[int, Point] = field(default_factory=dict)
    bands: list[Band] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def lay_out(
    lanes: Sequence[tuple[Hashable, Sequence[int]]], predecessors: Mapping[int, Iterable[int]]
) -> Layout:
    """The layout of the tasks of each lane, lanes from top to bottom. Links to tasks in no lane are left out.

    Raises ValueError for a loop.
    """
    grid = _Grid(lanes, predecessors)
    grid.order()
    grid.settle()
    return _Lines(grid).drawn()


class _Grid:
    """Columns, lanes and rows, before there are pixels."""

    def __init__(
        self, lanes: Sequence[tuple[Hashable, Sequence[int]]], predecessors: Mapping[int, Iterable[int]]
    ) -> None:
        self.names = [name for name, _ in lanes]
        self.lane = {task: number for number, (_, tasks) in enumerate(lanes) for task in tasks}
        self.before = {
            task: [each for each in dict.fromkeys(predecessors.get(task, ())) if each in self.lane]
            for task in self.lane
        }
        self.after = followers_of(self.before)
        self.column: dict[int, int] = {}
        for task in in_order(self.before):
            self.column[task] = max((self.column[each] + 1 for each in self.before[task]), default=0)
        self.columns = max(self.column.values(), default=-1) + 1
        self.cells: dict[tuple[int, int], list[int]] = defaultdict(list)
        for task, lane in self.lane.items():
            self.cells[self.column[task], lane].append(task)
        self.rows = [0] * len(lanes)  # of each lane
        for (_, lane), tasks in self.cells.items():
            self.rows[lane] = max(self.rows[lane], len(tasks))
        self.top = [
            sum(self.rows[:lane]) for lane in range(len(lanes))
        ]  # each lane's first row among all rows
        self.row: dict[int, int] = {}  # among all rows
        for (_, lane), tasks in self.cells.items():
            self._place(lane, tasks, range(len(tasks)))

    def order(self) -> None:
        """Sweep right and left, sorting each cell by the mean row of its neighbours on the side we come from."""
        places = sorted(self.cells)
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 0
            neighbours = self.before if forward else self.after
            for place in places if forward else reversed(places):
                tasks = self.cells[place]
                if len(tasks) > 1:
                    weights = {task: self._mean(neighbours[task], task) for task in tasks}
                    tasks.sort(key=weights.__getitem__)
                    self._place(place[1], tasks, range(len(tasks)))

    def settle(self) -> None:
        """Give each task the row nearest to those that it waits for in its lane, keeping the order."""
        for (_, lane), tasks in sorted(self.cells.items()):
            rows, last, taken = self.rows[lane], len(tasks), -1
            chosen = []
            for number, task in enumerate(tasks):
                near = [each for each in self.before[task] if self.lane[each] == lane]
                wanted = round(self._mean(near, task)) - self.top[lane] if near else number
                taken = min(max(taken + 1, wanted), rows - (last - number))
                chosen.append(taken)
            self._place(lane, tasks, chosen)

    def _place(self, lane: int, tasks: Sequence[int], rows: Iterable[int]) -> None:
        for task, row in zip(tasks, rows, strict=True):
            self.row[task] = self.top[lane] + row

    def _mean(self, tasks: Sequence[int], instead: int) -> float:
        return fmean(self.row[each] for each in tasks) if tasks else self.row[instead]


class _Tracks:
    """Lines beside each other in one gutter or gap. Lines of one net share a track; others do where they don't overlap."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._extents: dict[Hashable, tuple[float, float]] = {}
        self._track: dict[Hashable, int] = {}

    def add(self, net: Hashable, one: float, other: float) -> None:
        low, high = self._extents.get(net, (one, one))
        self._extents[net] = min(low, one, other), max(high, one, other)

    def assign(self) -> int:
        """Choose each net's track; how many there are."""
        ends: list[float] = []
        for net, (low, high) in sorted(self._extents.items(), key=lambda item: item[1]):
            free = next((track for track, end in enumerate(ends) if end < low), None)
            if free is None and len(ends) < self._most:
                free = len(ends)
                ends.append(high)
            if free is None:
                free = min(range(len(ends)), key=ends.__getitem__)
            ends[free] = max(ends[free], high)
            self._track[net] = free
        return len(ends)

    def offset(self, net: Hashable) -> int:
        return self._track[net] * TRACK


class _Lines:
    """Puts the grid into pixels, with as much room for lines as they need."""

    def __init__(self, grid: _Grid) -> None:
        self._grid = grid
        self._gutters: dict[int, _Tracks] = defaultdict(
            lambda: _Tracks(MOST_GUTTER_TRACKS)
        )  # right of the column
        self._gaps: dict[int, _Tracks] = defaultdict(lambda: _Tracks(MOST_GAP_TRACKS))  # above the row
        self._x: list[int] = []
        self._y: dict[int, int] = {}

    def drawn(self) -> Layout:
        grid = self._grid
        pairs = [(before, after) for after in grid.lane for before in grid.before[after]]
        for before, after in pairs:
            self._reserve(before, after)
        found = Layout()
        self._set_columns(found)
        self._set_rows(found)
        found.places = {task: (self._x[grid.column[task]], self._y[grid.row[task]]) for task in grid.lane}
        found.lines = [Line(before, after, self._corners(before, after)) for before, after in pairs]
        return found

    def _reserve(self, before: int, after: int) -> None:
        grid = self._grid
        left, right = grid.column[before], grid.column[after]
        high, low = grid.row[before], grid.row[after]
        if right == left + 1:
            if high != low:
                self._gutters[left].add(("from", before), high, low)
            return
        self._gutters[left].add(("from", before), high, low - 0.5)
        self._gaps[low].add(after, left, right - 1)
        self._gutters[right - 1].add(("to", after), low - 0.5, low)

    def _set_columns(self, found: Layout) -> None:
        x = MARGIN
        for column in range(self._grid.columns):
            self._x.append(x)
            tracks = self._gutters[column].assign()
            x += NODE_WIDTH + GUTTER + max(0, tracks - 1) * TRACK
        found.width = max(0, x - GUTTER) + MARGIN

    def _set_rows(self, found: Layout) -> None:
        grid, y = self._grid, 0
        for number, name in enumerate(grid.names):
            top = y
            y += LANE_PAD
            for row in range(grid.top[number], grid.top[number] + grid.rows[number]):
                y += GAP + max(0, self._gaps[row].assign() - 1) * TRACK
                self._y[row] = y
                y += NODE_HEIGHT
            y = max(y + GAP + LANE_PAD, top + NODE_HEIGHT + 2 * GAP)
            found.bands.append(Band(name, top, y - top))
        found.height = y

    def _corners(self, before: int, after: int) -> tuple[Point, ...]:
        grid = self._grid
        left, right = grid.column[before], grid.column[after]
        start = self._x[left] + NODE_WIDTH, self._y[grid.row[before]] + NODE_HEIGHT // 2
        end = self._x[right], self._y[grid.row[after]] + NODE_HEIGHT // 2
        if right == left + 1:
            if start[1] == end[1]:
                return start, end
            turn = self._turn(left, ("from", before))
            return start, (turn, start[1]), (turn, end[1]), end
        out, back = self._turn(left, ("from", before)), self._turn(right - 1, ("to", after))
        level = self._y[grid.row[after]] - GAP // 2 - self._gaps[grid.row[after]].offset(after)
        return start, (out, start[1]), (out, level), (back, level), (back, end[1]), end

    def _turn(self, column: int, net: Hashable) -> int:
        return self._x[column] + NODE_WIDTH + GUTTER // 2 + self._gutters[column].offset(net)


def path_data(points: Sequence[Point], radius: int = 6) -> str:
    """An SVG path through the corners, each rounded as far as its sides allow."""
    first, last = points[0], points[-1]
    found = [f"M{first[0]} {first[1]}"]
    for here, corner, there in zip(points, points[1:], points[2:], strict=False):
        room = min(radius, _distance(here, corner) // 2, _distance(corner, there) // 2)
        one, other = _towards(corner, here, room), _towards(corner, there, room)
        found.append(f"L{one[0]} {one[1]}Q{corner[0]} {corner[1]} {other[0]} {other[1]}")
    found.append(f"L{last[0]} {last[1]}")
    return "".join(found)


def _distance(one: Point, other: Point) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, goal: Point, length: int) -> Point:
    def step(one: int, other: int) -> int:
        return one + (length if other > one else -length if other < one else 0)

    return step(start[0], goal[0]), step(start[1], goal[1])


def near(predecessors: Mapping[int, Iterable[int]], task: int, hops: int = 2) -> set[int]:
    """The task and those at most so many links before or after it."""
    before = {each: [one for one in found if one in predecessors] for each, found in predecessors.items()}
    after = followers_of(before)
    reached = {task}
    for links in (before, after):
        edge = {task}
        for _ in range(hops):
            edge = {each for one in edge for each in links.get(one, ())} - reached
            reached |= edge
    return reached

"""`python -m bench`: how fast a start arrives, and how many arrive a second."""

from __future__ import annotations

import click

from bench.delivery import measure


@click.command()
@click.option("--clicks", default=200, show_default=True, help="Single starts, for click-to-arrival.")
@click.option("--posts", default=4000, show_default=True, help="Posts of each throughput round.")
@click.option("--rounds", default=3, show_default=True, help="Rounds; their median is reported.")
@click.option(
    "--concurrency",
    multiple=True,
    type=click.IntRange(1, 1024),
    default=(64, 256, 512),
    show_default=True,
    help="Posts in flight of the worker; give it several times to compare.",
)
@click.option("--database-url", default="", help="A database to fill; a new SQLite file otherwise.")
def main(clicks: int, posts: int, rounds: int, concurrency: tuple[int, ...], database_url: str) -> None:
    """Measure delivery with real processes: broker, one worker, and a receiver, all on this machine."""
    for line in measure(
        clicks=clicks, posts=posts, rounds=rounds, concurrencies=concurrency, database_url=database_url
    ):
        click.echo(line)


if __name__ == "__main__":
    main()

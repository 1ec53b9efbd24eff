"""The sealed secrets of the database, whatever table they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import LargeBinary, select
from sqlalchemy.orm import Mapper

from webapp.extensions import Base, db


def sealed_values() -> Iterator[tuple[Any, str, bytes]]:
    """(row, attribute, sealed value) of every column of bytes: only sealed secrets are kept as bytes."""
    for mapper, name in _columns():
        for row in db.session.scalars(
            select(mapper.class_).where(getattr(mapper.class_, name).is_not(None))
        ).unique():
            yield row, name, getattr(row, name)


def newest_sealed() -> Iterator[bytes]:
    """The newest value of each such column: enough to see whether the keys are the right ones."""
    for mapper, name in _columns():
        column = getattr(mapper.class_, name)
        query = select(column).where(column.is_not(None)).order_by(mapper.class_.id.desc()).limit(1)
        yield from db.session.scalars(query)


def _columns() -> Iterator[tuple[Mapper[Any], str]]:
    for mapper in Base.registry.mappers:
        for each in mapper.column_attrs:
            if isinstance(each.columns[0].type, LargeBinary):
                yield mapper, each.key

"""What pages pull, put together once for all who would get the very same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from flask import Response, g
from flask_login import current_user

from webapp import zones
from webapp.page import fragments
from webapp.runbooks.board import snapshot_of, viewer_of
from webapp.runbooks.models import Runbook
from webapp.runbooks.views.kept import manner
from webapp.runbooks.views.pieces import changed_parts, here_on_page, refresh
from webapp.sharing import Shared
from webapp.turns import Turns

# A pull takes 2 ms or so: that many leave half a processor to those who act.
PULLS_PER_S = 250
# Longer, and watchers would talk of it before they see it.
MOST_WAIT_S = 1.2
TURNS = Turns(per_s=PULLS_PER_S, most_s=MOST_WAIT_S)


@dataclass(frozen=True)
class _Pulled:
    """The parts in one, None where the page has to be loaded anew; `theirs` alone where a token of the one who asked is in it."""

    text: str | None
    theirs: bool


def pulled(runbook: Runbook, since: int) -> Response:
    """What changed on the page that asks after `since`, with the seq that it comes to.

    It is found by all that tells two answers apart: the snapshot, the place, the rights, the zones, and what the
    snapshot tells apart. Whether they may look has been asked before, for each of them.
    """
    seq, here = runbook.seq, here_on_page(runbook)
    if zones.outdated():
        return refresh()
    if here.number is None:
        viewer = viewer_of(current_user, runbook)
        apart = snapshot_of(runbook).apart(viewer, since, here)
        found_by: Hashable = (
            runbook.id,
            seq,
            runbook.updated_at,
            since,
            here,
            viewer.rights,
            apart,
            manner(),
        )
        found = _answers.get(found_by, lambda: _put_together(runbook, since))
        # Another one's token is of no use. One's own is made for each page anyway, so nobody waits for it.
        text = _put_together(runbook, since).text if found.theirs else found.text
    else:  # the panel has a token, what one typed and what one may do
        text = _put_together(runbook, since).text
    if text is None:
        return refresh()
    answer = fragments([text])
    answer.headers["X-Seq"] = str(seq)
    return answer


def _put_together(runbook: Runbook, since: int) -> _Pulled:
    parts = changed_parts(runbook, since)
    # Where Flask-WTF leaves a token that was asked for in this request.
    return _Pulled(None if parts is None else "".join(parts), theirs="csrf_token" in g)


# As short as a snapshot lives, and room for as many cursors as pages may stand at.
_answers: Shared[_Pulled] = Shared(most=512, lives_s=1.0)

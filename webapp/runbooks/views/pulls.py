"""What pages pull, put together once for all who would get the very same."""

from __future__ import annotations

from flask import Response, g
from flask_login import current_user

from webapp import zones
from webapp.page import fragments
from webapp.runbooks.board import Snapshot, snapshot_of, viewer_of
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

# In characters. A drawing of a large runbook is longer, and is shared as a piece.
LONGEST_SHARED = 100_000

Text = str | None  # None where the page has to be loaded anew


def pulled(runbook: Runbook, since: int) -> Response:
    """What changed on the page that asks after `since`, with the seq that it comes to.

    It is found by all that tells two answers apart: the snapshot, the place, the rights, the zones, and what the
    snapshot tells apart. Whether they may look has been asked before, for each of them.
    """
    seq, here = runbook.seq, here_on_page(runbook)
    if zones.outdated():
        return refresh()
    text: Text
    if here.number is None:
        viewer = viewer_of(current_user, runbook)
        snapshot = snapshot_of(runbook)
        apart = snapshot.apart(viewer, since, here)
        # With the moment, or what lives as long as a snapshot might show one that is twice as old.
        state = (runbook.id, seq, runbook.updated_at, snapshot.moment)
        found_by = (state, since, here, viewer.rights, apart, manner())
        found = _answers.get(found_by, lambda: _for_all(runbook, since, snapshot))
        text = _put_together(runbook, since, snapshot) if found is None else found[0]
    else:  # the panel is made for who looks at it
        text = _put_together(runbook, since)
    if text is None:
        return refresh()
    answer = fragments([text])
    answer.headers["X-Seq"] = str(seq)
    return answer


def _put_together(runbook: Runbook, since: int, snapshot: Snapshot | None = None) -> Text:
    parts = changed_parts(runbook, since, snapshot)
    return None if parts is None else "".join(parts)


def _for_all(runbook: Runbook, since: int, snapshot: Snapshot) -> tuple[Text] | None:
    """The text, or None where everybody has to have their own: it is very long, or the asker's token is in it."""
    text = _put_together(runbook, since, snapshot)
    # Flask-WTF leaves a token there that was asked for in this request.
    alone = "csrf_token" in g or len(text or "") > LONGEST_SHARED
    return None if alone else (text,)


# As short as a snapshot lives, and room for as many cursors as pages may stand at.
_answers: Shared[tuple[Text] | None] = Shared(most=256, lives_s=1.0)

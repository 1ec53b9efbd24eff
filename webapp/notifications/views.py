"""The bell, the page of notifications, what is new since, and the settings."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, jsonify, request, url_for
from flask_login import current_user

from webapp import zones
from webapp.blueprint import Blueprint
from webapp.clock import now
from webapp.extensions import db
from webapp.navigation import NavEntry
from webapp.notifications import operations, queries
from webapp.notifications.days import by_day
from webapp.notifications.forms import KindsForm
from webapp.notifications.kinds import KINDS
from webapp.notifications.queries import Bell
from webapp.page import page, see_other, told
from webapp.permissions import Permission
from webapp.redirects import local_path
from webapp.row_ids import row_id


def bell() -> Bell:
    """What the bell of this page shows, asked once a request."""
    if "bell" not in g:
        g.bell = queries.bell_of(current_user.id)
    found: Bell = g.bell
    return found


blueprint = Blueprint("notifications", __name__)
blueprint.nav = [NavEntry("Notifications", "bell", "notifications.notifications", order=4)]


@blueprint.get("/notifications", permission=Permission.SIGNED_IN)
def notifications() -> Any:
    unread = request.args.get("show") == "unread"
    number = max(1, request.args.get("page", 1, row_id))
    found, pages = queries.notifications_of(current_user.id, unread=unread, page=number)
    return page(
        "notifications/notifications.html",
        block="notifications",
        days=by_day(found, now(), ZoneInfo(zones.shown().shown)),
        unread=unread,
        number=number,
        pages=pages,
        kinds=KINDS,
        here=_list_address(unread, number),
    )


@blueprint.get("/notifications/news", permission=Permission.SIGNED_IN)
def news() -> Any:
    """As JSON, how many are unread, the latest id, and the unread ones `after` an id; 204 where nothing came since.

    `seen` is the count that the page shows: it may be wrong though nothing came, once something was read elsewhere.
    """
    after = request.args.get("after", 0, row_id)
    found = bell()
    if found.latest <= after and found.unread == request.args.get("seen", type=int):
        return Response(status=204)
    return jsonify(
        unread=found.unread,
        latest=found.latest,
        news=[
            {
                "id": each.id,
                "text": each.sentence,
                "open": url_for("notifications.open_notification", notification_id=each.id),
            }
            for each in queries.news_after(current_user.id, after)
        ],
    )


@blueprint.post("/notifications/<int:notification_id>/open", permission=Permission.SIGNED_IN)
def open_notification(notification_id: int) -> Any:
    """Go where it leads. It counts as read."""
    found = queries.notification_for(current_user, notification_id)
    operations.mark_read(found)
    db.session.commit()
    return see_other(request.script_root + local_path(found.link, "/"))


@blueprint.post("/notifications/<int:notification_id>/read", permission=Permission.SIGNED_IN)
def read(notification_id: int) -> Any:
    found = queries.notification_for(current_user, notification_id)
    operations.mark_read(found)
    db.session.commit()
    return see_other(local_path(request.form.get("back"), url_for("notifications.notifications")))


@blueprint.post("/notifications/read", permission=Permission.SIGNED_IN)
def read_all() -> Any:
    """Mark all as read that had come when the page was shown: those up to `until`."""
    operations.mark_all_read(current_user, until=request.form.get("until", 0, row_id))
    db.session.commit()
    return told(url_for("notifications.notifications"), "Everything is marked as read.")


@blueprint.get("/notifications/settings", permission=Permission.SIGNED_IN)
def settings() -> Any:
    muted = queries.muted_by(current_user.id)
    chosen = [kind.key for kind in KINDS if kind.may_be_muted and kind.key not in muted]
    return page("notifications/settings.html", form=KindsForm(formdata=None, kinds=chosen), kinds=KINDS)


@blueprint.post("/notifications/settings", permission=Permission.SIGNED_IN)
def save_settings() -> Any:
    form = KindsForm()
    if not form.validate():
        return page("notifications/settings.html", status=422, form=form, kinds=KINDS)
    operations.choose_kinds(current_user, form.kinds.data or [])
    db.session.commit()
    return told(url_for("notifications.settings"), "Your choice is saved.")


def _list_address(unread: bool, number: int) -> str:
    given: dict[str, Any] = {"show": "unread"} if unread else {}
    if number > 1:
        given["page"] = number
    return url_for("notifications.notifications", **given)

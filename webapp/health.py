"""/healthz: whether this process can answer and reach its database."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import text

from webapp.blueprint import Blueprint
from webapp.extensions import db, limiter
from webapp.permissions import Permission

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz", permission=Permission.PUBLIC)
@limiter.exempt
def healthz() -> dict[str, str]:
    db.session.execute(text("SELECT 1"))
    return {"status": "ok"}


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)

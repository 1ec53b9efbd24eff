"""Our own guides, docs/guide/*.md, as pages: what Learn more opens."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from flask import Flask, abort, current_app
from markdown_it import MarkdownIt
from markupsafe import Markup

from webapp.assets import resource_root
from webapp.blueprint import Blueprint
from webapp.page import page
from webapp.permissions import Permission

blueprint = Blueprint("guides", __name__)

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
# A wide table scrolls by itself, by keyboard too; a phone's page must not.
_markdown.add_render_rule(
    "table_open", lambda *_: '<div class="wide" tabindex="0" role="region" aria-label="Table"><table>\n'
)
_markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")


@blueprint.get("/guides/<slug>", permission=Permission.SIGNED_IN)
def guide(slug: str) -> Any:
    if not re.fullmatch(r"[a-z-]{1,40}", slug):
        abort(404)
    path = resource_root() / "docs" / "guide" / f"{slug}.md"
    if not path.is_file():
        abort(404)
    title, body = _rendered(path.read_text(encoding="utf-8"), current_app.config["PUBLIC_URL"])
    return page("guides/guide.html", title=title, body=Markup(body))


@lru_cache(maxsize=16)
def _rendered(text: str, public_url: str) -> tuple[str, str]:
    """The first heading, and the rest as HTML. `{public_url}` in the text stands for this installation's address."""
    head, _, rest = text.partition("\n")
    pictures_dropped = re.sub(r"(?m)^!\[[^\]]*\]\([^)]*\)\n?", "", rest)
    html = _markdown.render(pictures_dropped.replace("{public_url}", public_url))
    return head.lstrip("# ").strip(), re.sub(r'href="([a-z-]+)\.md"', r'href="\1"', html)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)

"""What every template finds without importing: versioned addresses, icons and the two macro libraries.

`asset("css/base.css")` is an address whose `v` changes with the file's content; a static answer whose request
names a `v` may be kept for a year. `icon("plug")` is one symbol of the sprite. `ui` and `forms` are
templates/_ui.html and templates/_forms.html: globals, because a block that is rendered alone (page.py) does
not run its template's top-level imports.
"""

from __future__ import annotations

import hashlib
import json
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for
from jinja2 import Environment
from markupsafe import Markup, escape

BUILD_COMMAND = "python tools/build_assets.py"
A_YEAR_S = 31_536_000


class Macros:
    """The macros of one template as attributes. Looked up at each use, so that a reload is noticed."""

    def __init__(self, environment: Environment, template: str) -> None:
        self._environment = environment
        self._template = template

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._environment.get_template(self._template).module, name)


class AssetsNotBuilt(SystemExit):
    """static/vendor is missing or older than its inputs. The message is one line and names the remedy."""


def resource_root() -> Path:
    """The folder that holds `templates` and `static`: the checkout's top, or `_resources` in a wheel."""
    package = Path(__file__).resolve().parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent


def asset(path: str) -> str:
    """The address of `static/<path>`. Raises FileNotFoundError where there is no such file."""
    static = Path(current_app.static_folder or "")
    known = current_app.extensions["assets"]["files"].get(path.removeprefix("vendor/"))
    if known is None or not path.startswith("vendor/"):
        facts = (static / path).stat()
        known = _content_hash(static / path, facts.st_mtime_ns, facts.st_size)
    return url_for("static", filename=path, v=known)


def icon(name: str, cls: str = "") -> Markup:
    """An icon that screen readers skip; put its meaning into words beside it or into an aria-label.

    Raises ValueError for a name that is not in tools/icons.txt.
    """
    if "icon_sprite" not in g:
        g.icon_sprite = escape(asset("vendor/icons.svg"))
    return _icon(g.icon_sprite, name, cls)


@lru_cache(maxsize=1024)
def _icon(sprite: Markup, name: str, cls: str) -> Markup:
    if name not in current_app.extensions["assets"]["icons"]:
        raise ValueError(f"no icon is called {name!r}; add it to tools/icons.txt and run: {BUILD_COMMAND}")
    classes = escape(f"i {cls}".rstrip())
    return Markup(f'<svg class="{classes}" aria-hidden="true"><use href="{sprite}#{name}"/></svg>')


def init_app(app: Flask) -> None:
    """Give templates `asset`, `icon`, `ui`, `forms` and `server_time`, and cache what has a version.

    Raises AssetsNotBuilt where static/vendor is missing or stale.
    """
    app.extensions["assets"] = _read_manifest(Path(app.static_folder or ""))
    environment = app.jinja_env
    environment.globals.update(
        asset=asset,
        icon=icon,
        ui=Macros(environment, "_ui.html"),
        forms=Macros(environment, "_forms.html"),
        server_time=time.time,
    )
    app.after_request(_keep_versioned)


def _read_manifest(static: Path) -> dict[str, Any]:
    path = static / "vendor/manifest.json"
    if not path.is_file():
        raise AssetsNotBuilt(f"The front-end files are not built. Run: {BUILD_COMMAND}")
    manifest: dict[str, Any] = json.loads(path.read_text())
    for name, made_from in manifest["inputs"].items():
        source = static.parent / name
        if source.is_file() and hashlib.sha256(source.read_bytes()).hexdigest() != made_from:
            raise AssetsNotBuilt(f"The front-end files are older than {name}. Run: {BUILD_COMMAND}")
    return {"files": manifest["files"], "icons": frozenset(manifest["icons"])}


@lru_cache(maxsize=512)
def _content_hash(path: Path, mtime_ns: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _keep_versioned(answer: Response) -> Response:
    if request.endpoint == "static" and "v" in request.args and answer.status_code in (200, 304):
        answer.cache_control.no_cache = None
        answer.cache_control.public = True
        answer.cache_control.max_age = A_YEAR_S
        answer.cache_control.immutable = True
    return answer

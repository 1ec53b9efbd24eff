"""The static files: built, complete, versioned, and free of what the Content Security Policy forbids."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from webapp import assets

ROOT = assets.resource_root()
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ICONS = frozenset((ROOT / "tools/icons.txt").read_text().split())


@pytest.fixture
def app() -> Flask:
    app = Flask(
        "gallery",
        static_folder=str(ROOT / "static"),
        template_folder=str(ROOT / "templates"),
        static_url_path="/static",
    )
    assets.init_app(app)
    return app


def _built(tmp_path: Path, **manifest: object) -> Flask:
    vendor = tmp_path / "static/vendor"
    vendor.mkdir(parents=True)
    content = {"inputs": {}, "files": {}, "icons": []} | manifest
    (vendor / "manifest.json").write_text(json.dumps(content))
    return Flask("built", static_folder=str(tmp_path / "static"))


def test_a_missing_build_stops_the_start_with_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    with pytest.raises(assets.AssetsNotBuilt) as refused:
        assets.init_app(Flask("bare", static_folder=str(tmp_path / "static")))
    assert str(refused.value) == "The front-end files are not built. Run: python tools/build_assets.py"


def test_a_stale_build_names_the_input_that_changed(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    app = _built(tmp_path, inputs={"package.json": "0" * 64})
    with pytest.raises(assets.AssetsNotBuilt) as refused:
        assets.init_app(app)
    assert str(refused.value) == (
        "The front-end files are older than package.json. Run: python tools/build_assets.py"
    )


def test_an_installed_wheel_has_no_inputs_to_compare_and_starts(tmp_path: Path) -> None:
    app = _built(tmp_path, inputs={"package.json": "0" * 64})
    assets.init_app(app)
    assert app.extensions["assets"] == {"files": {}, "icons": frozenset()}


def test_an_icon_is_one_symbol_of_the_versioned_sprite(app: Flask) -> None:
    with app.test_request_context("/"):
        drawn = assets.icon("plug", "i-s")
        address = assets.asset("vendor/icons.svg")
    assert drawn == f'<svg class="i i-s" aria-hidden="true"><use href="{address}#plug"/></svg>'
    assert re.fullmatch(r"/static/vendor/icons\.svg\?v=[0-9a-f]{16}", address)


def test_an_unknown_icon_is_refused_by_name(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(ValueError, match="no icon is called 'unicorn'"):
        assets.icon("unicorn")


def test_the_version_in_an_address_follows_the_files_content(tmp_path: Path) -> None:
    app = _built(tmp_path)
    assets.init_app(app)
    style = tmp_path / "static/page.css"
    with app.test_request_context("/"):
        style.write_text("a{}")
        first = assets.asset("page.css")
        style.write_text("b{ }")
        second = assets.asset("page.css")
    assert first != second


def test_an_unknown_file_has_no_address(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(FileNotFoundError):
        assets.asset("css/missing.css")


def test_only_a_versioned_static_answer_is_kept_for_a_year(app: Flask) -> None:
    # Buffered, so that the file is read and closed at once.
    client = app.test_client()
    versioned = client.get("/static/css/base.css?v=1", buffered=True)
    plain = client.get("/static/css/base.css", buffered=True)
    assert versioned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Cache-Control"] == "no-cache"


def test_macros_are_found_without_importing_them(app: Flask) -> None:
    with app.test_request_context("/"):
        page = app.jinja_env.from_string("{{ ui.count(3) }}").render()
    assert page == '<span class="count">3</span>'


def test_the_sprite_holds_exactly_the_listed_icons() -> None:
    sprite = (ROOT / "static/vendor/icons.svg").read_text()
    assert frozenset(re.findall(r'<symbol id="([^"]+)"', sprite)) == ICONS


def test_every_icon_that_a_template_names_is_listed() -> None:
    named = {
        (template.relative_to(ROOT).as_posix(), name)
        for template in TEMPLATES
        for name in re.findall(r"""\bicon\(\s*["']([a-z0-9-]+)["']""", template.read_text())
    }
    assert {(template, name) for template, name in named if name not in ICONS} == set()


def test_every_vendored_file_has_a_licence_beside_it() -> None:
    files = json.loads((ROOT / "static/vendor/manifest.json").read_text())["files"]
    assert sorted(name for name in files if name.startswith("licenses/")) == [
        "licenses/htmx.txt",
        "licenses/idiomorph.txt",
        "licenses/inter.txt",
        "licenses/tabler-icons.txt",
    ]


def test_the_lock_pins_every_package_by_hash_and_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    pinned = {name: facts for name, facts in packages.items() if name}
    assert [
        name for name, facts in pinned.items() if not facts.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, facts in pinned.items() if "resolved" in facts] == []


def test_the_fonts_carry_their_packages_version_in_the_stylesheet() -> None:
    version = json.loads((ROOT / "package.json").read_text())["dependencies"]["@fontsource-variable/inter"]
    found = re.findall(r"\.woff2\?v=([\d.]+)", (ROOT / "static/css/tokens.css").read_text())
    assert found == [version, version]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a style attribute", r"<[a-z][^>]*\sstyle="),
        ("an inline handler", r"<[a-z][^>]*\son[a-z]+="),
        ("hx-on", r"\bhx-on[:=-]"),
        ("a script in hx-vals or hx-headers", r"hx-(?:vals|headers)=[\"']js(?:on)?:"),
        ("an inline script", r"<script(?![^>]*\bsrc=)"),
        ("a style element", r"<style\b"),
        ("a trigger filter", r"hx-trigger=\"[^\"]*\["),
    ],
)
def test_no_template_holds_what_the_content_security_policy_blocks(what: str, pattern: str) -> None:
    # Jinja expressions may hold a ">" and are cut out, so that a tag is seen whole.
    holding = [
        template.relative_to(ROOT).as_posix()
        for template in TEMPLATES
        if re.search(
            pattern, re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", template.read_text(), flags=re.DOTALL)
        )
    ]
    assert holding == [], f"{what} is blocked by the Content Security Policy"


@pytest.mark.parametrize("kind", ["css", "js"])
def test_every_stylesheet_and_script_is_loaded_by_all_pages_or_by_what_names_it(kind: str) -> None:
    document = (ROOT / "templates/_document.html").read_text()
    loop = re.search(r"for name in \[([^\]]*)\] -%\}\s*<[^>]*asset\('" + kind, document)
    assert loop is not None
    everywhere = re.findall(r'"([a-z]+)"', loop[1])
    by_some = {
        name
        for template in TEMPLATES
        for name in re.findall(rf"asset\('{kind}/([a-z_-]+)\.{kind}'\)", template.read_text())
    }
    files = list((ROOT / "static" / kind).glob(f"*.{kind}"))
    imported = {name for path in files for name in re.findall(r"from '\./([a-z_-]+)\.js'", path.read_text())}
    assert sorted(everywhere) == sorted({path.stem for path in files} - by_some - imported)

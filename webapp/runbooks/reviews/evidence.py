"""The evidence pack: one archive of what was planned, what happened, who did it and what was sent. Pure.

No secret is in it. What runs and audit lines hold was stored without credentials; what people may have written into a
request, a comment or a reason is redacted here once more, by the same rules as on the page of a run.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.redaction import redact, redact_headers
from webapp.runbooks.sheets.csv_files import write_csv

RUN_SHEET, STYLE, REVIEW, AUDIT, RUNS, MANIFEST = (
    "run-sheet.html",
    "run_sheet.css",
    "review.csv",
    "audit.jsonl",
    "integration-runs.jsonl",
    "manifest.json",
)
_TEXT_OF_HTML = re.compile(r"(?<=>)[^<>]+(?=<)")


@dataclass(frozen=True)
class Evidence:
    """What goes into a pack. `head` says in the manifest what it is about; all of it is JSON-able.

    `style` is the run sheet's; `review` are the rows of a sheet; `audit` and `runs` one mapping per line. A run has
    `headers`, and a list of `attempts`, each with `request_headers` and `response_headers`: redacted by their names.
    """

    head: Mapping[str, Any]
    made_at: datetime
    run_sheet: str
    style: bytes
    review: Sequence[Sequence[str]]
    audit: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]


def pack(evidence: Evidence) -> bytes:
    """The archive as a ZIP file, with a manifest of each file's size and SHA-256."""
    files = {
        RUN_SHEET: without_secrets(evidence.run_sheet).encode(),
        STYLE: evidence.style,
        REVIEW: write_csv([redact(cell) for cell in row] for row in evidence.review),
        AUDIT: _lines(evidence.audit),
        RUNS: _lines(evidence.runs),
    }
    manifest = {
        **redacted(evidence.head),
        "made_at": evidence.made_at.isoformat(),
        "files": [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ],
    }
    files[MANIFEST] = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, evidence.made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def without_secrets(html: str) -> str:
    """The page with what looks like a secret taken out of its texts; its markup stays as it is."""
    return _TEXT_OF_HTML.sub(lambda found: redact(found[0]), html)


def redacted(value: Any) -> Any:
    """The same JSON-able value without what looks like a secret, wherever in it that stands."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        # Names tell too: what stands under "password" or "Authorization" is hidden whatever it looks like.
        return {
            name: redact_headers({name: each})[name] if isinstance(each, str) else redacted(each)
            for name, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redacted(each) for each in value]
    return value


def _lines(found: Iterable[Mapping[str, Any]]) -> bytes:
    # One JSON value per line, so that a large file can be read line by line (jsonlines.org).
    return "".join(f"{json.dumps(redacted(each), ensure_ascii=False)}\n" for each in found).encode()

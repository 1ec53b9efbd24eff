"""Checking a request template before it is saved: it is rendered with sample values, and its names are looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal
from urllib.parse import urlsplit

from webapp.liquid_environment import RenderProblem
from webapp.templating import (
    WITHOUT_BODY,
    Part,
    Reference,
    RequestTemplate,
    TemplateError,
    render_headers,
    render_json,
)

# What templates can read beside custom fields, with the samples that checks use.
CONTEXT_SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "Task": {
        "id": 42,
        "number": 7,
        "name": "Announce the start",
        "description": "text",
        "stream": "Command",
        "url": "https://runsheet.example/runbooks/1?task=42",
    },
    "Runbook": {"id": 1, "name": "Failover", "url": "https://runsheet.example/runbooks/1", "mode": "live"},
    "User": {"name": "Rune", "email": "rune@example.com"},
}
_ROOTS = ("CustomField", *CONTEXT_SAMPLES)

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class KnownNames:
    """The custom fields that an action's template may name, each with a sample value, and those that exist elsewhere."""

    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Problem:
    """One finding. An error keeps the action from being saved; `fix` is the part's whole corrected text."""

    part: Part
    severity: Severity
    message: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    fix: str | None = None

    @property
    def place(self) -> str:
        return f"Line {self.line}, column {self.column}" if self.line else ""


def sample_context(known: KnownNames) -> dict[str, Any]:
    """Values to render a template with where no task is chosen."""
    return {
        "CustomField": dict(known.custom_fields),
        **{name: dict(value) for name, value in CONTEXT_SAMPLES.items()},
    }


def check(
    template: RequestTemplate, known: KnownNames, *, authorization_sets_header: bool = False
) -> list[Problem]:
    """Everything that is wrong or odd, in the order of the form. Never raises."""
    found = list(_names(template, known))
    found += _rendering(template, known)
    found += _oddities(template, known, authorization_sets_header)
    order = {"url": 0, "headers": 1, "parameters": 2, "body": 3}
    return sorted(found, key=lambda each: (order[each.part], each.line or 0, each.column or 0))


def _rendering(template: RequestTemplate, known: KnownNames) -> Iterator[Problem]:
    unused = "body" if template.method in WITHOUT_BODY else "parameters"
    samples = _with_every_name(template, known)
    parts: tuple[Part, ...] = ("url", "headers", "parameters", "body")
    for part in parts:
        if part == unused:
            continue
        try:
            template.render_part(part, samples)
        except TemplateError as error:
            yield Problem(part, "error", error.message, error.line, error.column, error.hint, error.fix)


def _with_elsewhere(known: KnownNames) -> dict[str, Any]:
    """Samples that also know the fields that only warn, so that rendering does not call them errors."""
    context = sample_context(known)
    context["CustomField"] = {**dict.fromkeys(known.elsewhere, "text"), **context["CustomField"]}
    return context


def _with_every_name(template: RequestTemplate, known: KnownNames) -> dict[str, Any]:
    """Samples for unknown names too: _names has said what is wrong with them, and the JSON around them counts as well."""
    context = _with_elsewhere(known)
    for reference in template.references():
        if reference.path is not None:
            values = context.setdefault(str(reference.path[0]), {})
            if len(reference.path) > 1:
                values.setdefault(reference.path[1], "text")
    return context


def _names(template: RequestTemplate, known: KnownNames) -> Iterator[Problem]:
    for reference in template.references():
        if reference.path is None:
            yield _said(
                reference, "note", "This name is worked out only when the task runs; it is checked then."
            )
        else:
            yield from _name(reference, reference.path, known)


def _name(reference: Reference, path: tuple[str | int, ...], known: KnownNames) -> Iterator[Problem]:
    root = str(path[0])
    if root == "Tasks" or root == "Response":
        yield _said(reference, "error", f"“{root}” is not available in this version.")
    elif root not in _ROOTS:
        yield _said(reference, "error", f"There is nothing called “{root}”.{_meant(root, _ROOTS)}")
    elif len(path) == 1:
        yield _said(reference, "error", f"Say which one: {root}['name'].")
    elif root == "CustomField":
        yield from _custom_field(reference, str(path[1]), known)
    elif path[1] not in CONTEXT_SAMPLES[root]:
        names = [*CONTEXT_SAMPLES[root]]
        hint = _meant(str(path[1]), names) or f" It has {', '.join(names)}."
        yield _said(reference, "error", f"A {root.lower()} has no “{path[1]}”.{hint}")


def _custom_field(reference: Reference, name: str, known: KnownNames) -> Iterator[Problem]:
    if name in known.custom_fields:
        return
    if name in known.elsewhere:
        yield _said(
            reference,
            "warning",
            f"The custom field ‘{name}’ exists, but is not shown with this action: other workspaces, or another action.",
        )
        return
    meant = _meant(name, [*known.custom_fields, *known.elsewhere])
    yield _said(reference, "error", f"There is no custom field ‘{name}’.{meant}")


def _meant(name: str, names: Any) -> str:
    lowered = {each.lower(): each for each in names}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean ‘{lowered[close[0]]}’?" if close else ""


def _said(reference: Reference, severity: Severity, message: str) -> Problem:
    return Problem(reference.part, severity, message, reference.line, reference.column)


def _oddities(
    template: RequestTemplate, known: KnownNames, authorization_sets_header: bool
) -> Iterator[Problem]:
    if _in_the_clear(template.url):
        yield Problem("url", "warning", "With http:// everything, credentials too, travels in the clear.")
    samples = _with_elsewhere(known)
    try:
        headers = {name.lower() for name in render_headers(template.headers, samples)}
    except (RenderProblem, TemplateError):
        headers = set()
    if "authorization" in headers and authorization_sets_header:
        yield Problem(
            "headers",
            "error",
            "The Authorization header is set twice: here and by the Authorization tab. Remove one of them.",
        )
    if template.method in WITHOUT_BODY and template.body.strip():
        yield Problem("body", "note", f"A {template.method} request is sent without the payload.")
    elif template.body_format == "json" and _names_a_property(template.body, samples):
        yield Problem(
            "body",
            "warning",
            "A dynamic field gives a property its name; a value may then replace another property.",
        )


def _in_the_clear(url: str) -> bool:
    """Whether the request crosses a network without TLS; loopback crosses none."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:  # as of http://[, which rendering refuses
        return False
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _names_a_property(source: str, samples: Mapping[str, Any]) -> bool:
    """Whether property names change when every sample text does."""
    marked = {
        root: {name: f"~{name}~" if isinstance(value, str) else value for name, value in values.items()}
        for root, values in samples.items()
    }
    try:
        return bool(_keys(render_json(source, samples)[1]) != _keys(render_json(source, marked)[1]))
    except (RenderProblem, TemplateError):
        return False


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _keys(each) for name, each in value.items()}
    return [_keys(each) for each in value] if isinstance(value, list) else None

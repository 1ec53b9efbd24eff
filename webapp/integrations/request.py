"""The outgoing request of an action: its template, and what its editor shows of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from webapp.integrations.authorizations import AuthorizationKind
from webapp.secrets import MASK
from webapp.template_diagnosis import CONTEXT_SAMPLES, KnownNames, Problem, sample_context
from webapp.template_diagnosis import check as diagnose
from webapp.templating import RenderedRequest, RequestTemplate, TemplateError


class Requesting(Protocol):
    """An action, or the Request tab of one (settings.RequestSettings)."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> str: ...
    @property
    def parameters(self) -> str: ...
    @property
    def body(self) -> str: ...


@dataclass(frozen=True)
class Insertable:
    """A name that the template can use: as people read it, and as it is typed."""

    label: str
    text: str


@dataclass(frozen=True)
class Check:
    """The request as it stands in the editor.

    `rendered` is the exact request, None where it cannot be made; `headers` are its headers with those of the
    credential, masked. `problems` are the template's, in the order of the form.
    """

    problems: tuple[Problem, ...]
    insertable: tuple[Insertable, ...]
    body_format: str
    rendered: RenderedRequest | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def errors(self) -> list[Problem]:
        """What keeps the action from being saved."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def has_custom_fields(self) -> bool:
        """Whether there is any custom field to insert."""
        return any(each.label.startswith("CustomField[") for each in self.insertable)

    @property
    def remarks(self) -> list[Problem]:
        """What is only odd."""
        return [problem for problem in self.problems if problem.severity != "error"]


def template_of(action: Requesting) -> RequestTemplate:
    """What the action sends, before values are put in."""
    return RequestTemplate(action.method, action.url, action.headers, action.parameters, action.body)


def check(
    action: Requesting,
    known: KnownNames,
    *,
    kind: AuthorizationKind | None,
    settings: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
) -> Check:
    """Problems and preview, with `context` (a task's values) or else with sample values. Never raises."""
    template = template_of(action)
    insertable = tuple(_insertable(known))
    if not template.url.strip():
        return Check((), insertable, template.body_format)
    sets_header = kind is not None and kind.sets_header(settings)
    problems = diagnose(template, known, authorization_sets_header=sets_header)
    rendered = None
    try:
        rendered = template.render(sample_context(known) if context is None else context)
    except TemplateError as error:
        if not any(problem.part == error.part and problem.severity != "note" for problem in problems):
            with_task = "With this task’s values: " if context is not None else ""
            problems.append(
                Problem(error.part, "warning", with_task + error.message, error.line, error.column)
            )
    headers = [*rendered.headers.items(), *masked_credential(kind, settings)] if rendered else []
    return Check(tuple(problems), insertable, template.body_format, rendered, tuple(headers))


def sentence(problem: Problem) -> str:
    """A problem in one line: where, what, and what to do about it."""
    said = f"{problem.place}: {problem.message}" if problem.place else problem.message
    return f"{said} {problem.hint}." if problem.hint else said


def masked_credential(kind: AuthorizationKind | None, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers that the credential will add, without any secret (none is opened for it)."""
    if kind is None:
        return []
    if kind.signs_in:
        return [("Authorization", f"Bearer {MASK}")]
    credential = kind.credential(settings, dict.fromkeys(kind.secret_fields, "secret"))
    masked = []
    for name, value in credential.headers.items():
        for secret in credential.secrets:
            value = value.replace(secret, MASK)
        masked.append((name, value))
    return masked


def _insertable(known: KnownNames) -> Iterable[Insertable]:
    for name in known.custom_fields:
        quote = '"' if "'" in name else "'"
        label = f"CustomField[{quote}{name}{quote}]"
        yield Insertable(label, "{{" + label + "}}")
    for root, values in CONTEXT_SAMPLES.items():
        for name in values:
            yield Insertable(f"{root}.{name}", "{{" + f"{root}.{name}" + "}}")

"""Request templates: what an admin typed, checked, and rendered to the exact bytes that go out.

Inside quotes you get text; without quotes you get the value itself (a number, a list, true or false). A blank field is
"" inside quotes and null outside. A name that does not exist is an error before anything is sent, unless `default` is
used. Rendering is pure and thread-safe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, quote_plus, urlencode, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from webapp.liquid_environment import Buffer, RenderProblem, as_text, dumped, parsed, plain, render_into

Part = Literal["url", "headers", "parameters", "body"]

WITHOUT_BODY = frozenset({"GET", "DELETE"})
_HOST = re.compile(r"(https?)://([^/?#{}\s@\\]+)(?=[/?#]|$)")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
# Set by the program, or about one hop of the connection only (RFC 9110 §7.6.1).
_OWN_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class TemplateError(Exception):
    """What is wrong, as a sentence, and where; `fix` is the whole corrected source where one is known."""

    def __init__(
        self,
        message: str,
        *,
        part: Part = "body",
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.part, self.line, self.column = message, part, line, column
        self.hint, self.fix = hint, fix

    @property
    def place(self) -> str:
        """ "Line 1, column 54", or nothing where the place is not known."""
        return f"Line {self.line}, column {self.column}" if self.line else ""


@dataclass(frozen=True)
class Reference:
    """A name that a template reads, as a path; None where the name is worked out only when it runs."""

    part: Part
    path: tuple[str | int, ...] | None
    line: int
    column: int


@dataclass(frozen=True)
class RenderedRequest:
    """A request as it goes out, byte for byte; no credential in it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    @property
    def body_text(self) -> str:
        return (self.body or b"").decode()

    @property
    def host(self) -> str:
        """Host and port of the URL."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class RequestTemplate:
    """The four texts of a Request tab. `headers` and `parameters` are JSON objects; empty means none."""

    method: str
    url: str
    headers: str = ""
    parameters: str = ""
    body: str = ""

    def render(self, context: Mapping[str, object]) -> RenderedRequest:
        """The request with these values. Raises TemplateError, its `part` set, and nothing else."""
        headers = self.render_part("headers", context)
        url: str = self.render_part("url", context)
        if self.method in WITHOUT_BODY:
            query = self.render_part("parameters", context)
            return RenderedRequest(self.method, _with_query(url, query), headers, None)
        text = self.render_part("body", context)
        if (
            text
            and not any(name.lower() == "content-type" for name in headers)
            and self.body_format == "json"
        ):
            headers["Content-Type"] = "application/json; charset=utf-8"
        return RenderedRequest(self.method, url, headers, _utf8(text))

    def render_part(self, part: Part, context: Mapping[str, object]) -> Any:
        """One part: the URL or body as text, headers and parameters as dicts. Raises TemplateError."""
        try:
            if part == "url":
                return render_url(self.url, context)
            if part == "headers":
                return render_headers(self.headers, context)
            if part == "parameters":
                return render_parameters(self.parameters, context)
            return _BODIES[self.body_format](self.body, context)
        except RenderProblem as problem:
            raise TemplateError(
                problem.message, part=part, line=problem.line, column=problem.column
            ) from None
        except TemplateError as error:
            error.part = part
            raise

    @property
    def body_format(self) -> str:
        """json, form, xml or raw, by the Content-Type header; without one, json."""
        found = re.search(r'"content-type"\s*:\s*"([^"]*)"', self.headers, re.IGNORECASE)
        kind = found[1].partition(";")[0].strip().lower() if found else "application/json"
        if kind == "application/json" or kind.endswith("+json"):
            return "json"
        if kind == "application/x-www-form-urlencoded":
            return "form"
        return "xml" if kind in ("application/xml", "text/xml") or kind.endswith("+xml") else "raw"

    def references(self) -> list[Reference]:
        """Every name that the parts in use read, in the order of the text. Parts that do not parse are left out."""
        unused = "body" if self.method in WITHOUT_BODY else "parameters"
        found = []
        parts: tuple[Part, ...] = ("url", "headers", "parameters", "body")
        for part in parts:
            source: str = getattr(self, part)
            if part != unused and source:
                found += _references(part, source)
        return found


def _references(part: Part, source: str) -> list[Reference]:
    try:
        template = parsed(source)
    except RenderProblem:
        return []
    found = []
    for variables in template.analyze().globals.values():
        for variable in variables:
            known = all(isinstance(segment, (str, int)) for segment in variable.segments)
            path = tuple(segment for segment in variable.segments if isinstance(segment, (str, int)))
            line, column = line_and_column(source, variable.span.index)
            found.append(Reference(part, path if known else None, line, column))
    return sorted(found, key=lambda each: (each.line, each.column))


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    """Where the offset is, both counted from 1."""
    offset = max(0, min(offset, len(source)))
    return source.count("\n", 0, offset) + 1, offset - source.rfind("\n", 0, offset)


class _JsonBuffer(Buffer):
    """Follows JSON's strings in the literal text, so that a value is written as text inside quotes, as itself outside."""

    def __init__(self) -> None:
        super().__init__()
        self._in_string = self._after_backslash = False

    def follow(self, text: str) -> None:
        for character in text:
            if self._after_backslash:
                self._after_backslash = False
            elif self._in_string and character == "\\":
                self._after_backslash = True
            elif character == '"':
                self._in_string = not self._in_string

    def encoded(self, value: object) -> str:
        if self._after_backslash:
            raise RenderProblem("A backslash directly before {{ is not allowed.")
        return dumped(as_text(value))[1:-1] if self._in_string else dumped(plain(value))


class _FormBuffer(Buffer):
    def encoded(self, value: object) -> str:
        return quote_plus(as_text(value), errors="strict")


class _UrlBuffer(Buffer):
    def encoded(self, value: object) -> str:
        text = as_text(value)
        if text in (".", ".."):
            raise RenderProblem("“.” and “..” cannot be put into a URL.")
        return quote(text, safe="", errors="strict")


class _XmlBuffer(Buffer):
    def encoded(self, value: object) -> str:
        text = as_text(value)
        if _NOT_XML.search(text):
            raise RenderProblem("A value holds a control character that XML cannot carry.")
        entities = {'"': "&quot;", "'": "&apos;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
        return escape(text, entities)


def render_json(source: str, context: Mapping[str, object]) -> tuple[str, Any]:
    """A JSON template: the text to send and what it means. Raises RenderProblem or TemplateError with the place."""
    buffer = _JsonBuffer()
    render_into(buffer, source, context)
    rendered = buffer.getvalue()
    text = rendered.strip()
    try:
        return text, json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = error.pos
        if error.msg.startswith("Illegal trailing comma"):
            # From Python 3.13 on the place is the comma; before, it was the bracket after it, as for other mistakes.
            place = text.index(text[place + 1 :].lstrip()[0], place + 1)
        at = buffer.origin_of(place + len(rendered) - len(rendered.lstrip()))
        raise _json_problem(source, context, error.msg, at) from None
    except RecursionError:
        raise RenderProblem("The JSON is nested too deeply.") from None


_UNCLOSED = "this text value has an opening double quote but no closing one"
_JSON_WORDS = {
    "Unterminated string": f"{_UNCLOSED[:1].upper()}{_UNCLOSED[1:]}.",
    "Expecting ',' delimiter": "A comma or a closing bracket is missing here.",
    "Expecting property name": "A property name in double quotes is expected here (is there a comma too many?).",
    "Illegal trailing comma before end of array": "A value is expected here.",
    "Illegal trailing comma": "A property name in double quotes is expected here (is there a comma too many?).",
    "Expecting value": "A value is expected here.",
    "Extra data": "There is text after the end of the JSON.",
    "Invalid control character": "A line break or control character stands inside a text value: write \\n instead.",
    "Expecting ':' delimiter": "A colon is expected after the property name.",
    "Invalid \\": "A backslash stands before a character that JSON does not escape: write \\\\ instead.",
}


def _json_problem(source: str, context: Mapping[str, object], said: str, at: int) -> TemplateError:
    words = next((text for start, text in _JSON_WORDS.items() if said.startswith(start)), f"{said}.")
    line, column = line_and_column(source, at)
    fix, hint = None, None
    if said.startswith("Unterminated string"):
        fix, hint = _closing_quote(source, context, at)
    return TemplateError(words, line=line, column=column, hint=hint, fix=fix)


def _closing_quote(source: str, context: Mapping[str, object], start: int) -> tuple[str | None, str | None]:
    """The source with the missing quote after one of the fields that follow, the first that makes it valid."""
    for found in re.finditer(r"\}\}", source[start:]):
        at = start + found.end()
        candidate = source[:at] + '"' + source[at:]
        buffer = _JsonBuffer()
        try:
            render_into(buffer, candidate, context)
            json.loads(buffer.getvalue())
        except (RenderProblem, ValueError, RecursionError):
            continue
        return candidate, f'Add the missing " after {source[max(start, at - 24) : at]}'
    return None, None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise RenderProblem(f"The property “{name}” occurs twice.")
        found[name] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise RenderProblem(f"{name} is not JSON.")


def render_headers(source: str, context: Mapping[str, object]) -> dict[str, str]:
    """Headers from a JSON object of texts; a value can never add a header."""
    found = _object(source, context, "Headers")
    headers: dict[str, str] = {}
    for name, value in found.items():
        if not _TOKEN.fullmatch(name):
            raise RenderProblem(f"“{name}” is not a header name.")
        if name.lower() in _OWN_HEADERS or name.lower().startswith("proxy-"):
            raise RenderProblem(f"The header {name} is set by Runsheet and cannot be given here.")
        if name.lower() in {each.lower() for each in headers}:
            raise RenderProblem(f"The header {name} occurs twice.")
        if not isinstance(value, str):
            raise RenderProblem(f"The header {name} must be text in double quotes.")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise RenderProblem(f"The header {name} would hold a line break or control character.")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise RenderProblem(
                f"The header {name} would hold characters that a header cannot carry."
            ) from None
        headers[name] = value.strip()
    return headers


def render_parameters(source: str, context: Mapping[str, object]) -> dict[str, Any]:
    """Query parameters from a JSON object of texts, numbers, true, false, null or lists of them (a list repeats)."""
    found = _object(source, context, "Parameters")
    for name, value in found.items():
        each = value if isinstance(value, list) else [value]
        if any(isinstance(one, (dict, list)) for one in each):
            raise RenderProblem(f"The parameter {name} must be a single value or a list of them.")
    return found


def _object(source: str, context: Mapping[str, object], noun: str) -> dict[str, Any]:
    if not source.strip():
        return {}
    _, found = render_json(source, context)
    if not isinstance(found, dict):
        raise RenderProblem(f"{noun} must be a JSON object.")
    return found


def _with_query(url: str, parameters: Mapping[str, Any]) -> str:
    pairs = [
        (name, as_text(one))
        for name, value in parameters.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    if not pairs:
        return url
    address, hash_sign, fragment = url.partition("#")
    joined = address + ("&" if "?" in address else "?") + urlencode(pairs)
    return joined + hash_sign + fragment


def render_url(source: str, context: Mapping[str, object]) -> str:
    """The address; its host is fixed in the template, and what fields put in is percent-encoded."""
    source = source.strip()
    head = _HOST.match(source)
    if head is None:
        raise RenderProblem(
            "The URL must start with https:// and a fixed host; dynamic fields may come after the host only."
        )
    buffer = _UrlBuffer()
    render_into(buffer, source, context)
    url = buffer.getvalue().strip()
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise RenderProblem("The URL holds a space, a backslash or a control character.")
    try:
        parts = urlsplit(url)
        valid = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        valid = False
    if not valid or parts.netloc != head[2] or not parts.hostname:
        raise RenderProblem("The host of the URL is not valid.")
    return url


def _render_json_text(source: str, context: Mapping[str, object]) -> str:
    return render_json(source, context)[0] if source.strip() else ""


def render_form(source: str, context: Mapping[str, object]) -> str:
    """A form body, `name={{ value }}&…`, each value encoded."""
    buffer = _FormBuffer()
    render_into(buffer, source, context)
    return buffer.getvalue().strip()


def render_xml(source: str, context: Mapping[str, object]) -> str:
    """An XML body; the result must be well-formed."""
    buffer = _XmlBuffer()
    render_into(buffer, source, context)
    text = buffer.getvalue().strip()
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise RenderProblem("A document type is not allowed in the payload.")
    try:
        ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        raise RenderProblem(f"This is not well-formed XML: {error}.") from None
    return text


def render_raw(source: str, context: Mapping[str, object]) -> str:
    """Any other body: values are inserted as they are."""
    buffer = Buffer()
    render_into(buffer, source, context)
    return buffer.getvalue()


_BODIES = {"json": _render_json_text, "form": render_form, "xml": render_xml, "raw": render_raw}


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise TemplateError("A value holds half of a character.") from None

"""The Liquid that request templates are written in: python-liquid, limited, writing every value for the place it stands in.

A template renders into a Buffer. Literal text goes in as it is; what `{{ … }}` yields goes through `Buffer.encoded`,
which knows the place: inside a JSON string, a URL, XML. So a value can never end the string it stands in.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache, wraps
from io import StringIO
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import FilterArgumentError, LiquidError, OutputStreamLimitError
from liquid.undefined import StrictDefaultUndefined

LONGEST_TEMPLATE = 64_000
LONGEST_OUTPUT = 1_000_000
LONGEST_VALUE = 200_000

_TAGS = frozenset(
    {
        "assign",
        "capture",
        "if",
        "unless",
        "case",
        "for",
        "break",
        "continue",
        "comment",
        "raw",
        "echo",
        "liquid",
        "#",
    }
)
_PARTS = frozenset({"content", "output", "illegal", "literal", "expression", "eof"})
_SURROGATE = re.compile("[\ud800-\udfff]")


class RenderProblem(Exception):
    """What is wrong with a template or a value, as a sentence; line and column count from 1 where they are known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(frozen=True)
class JsonText:
    """What the `json` filter yields: written as JSON wherever it stands."""

    value: object


def plain(value: object) -> Any:
    """A value from a template as JSON-able data: dates in ISO 8601, decimals as numbers. Undefined names raise."""
    if isinstance(value, JsonText):
        return plain(value.value)
    if isinstance(value, str):
        return str(value)  # Liquid's Markup and friends, without their subclass
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise RenderProblem("A number is not finite.")
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, range)):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    return str(value)  # an undefined name raises here


def as_text(value: object) -> str:
    """A value inside text: nothing for None, lists joined with commas."""
    if isinstance(value, JsonText):
        return dumped(plain(value))
    found = plain(value)
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, list) and not any(isinstance(each, (list, dict)) for each in found):
        return ", ".join(as_text(each) for each in found)
    return dumped(found) if isinstance(found, (list, dict)) else str(found)


def dumped(value: object) -> str:
    """The value as JSON text that UTF-8 can carry: half characters are written as escapes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class Buffer(StringIO):
    """Where a template writes to; remembers which place of the template each piece of output came from."""

    def __init__(self) -> None:
        super().__init__(newline="")  # no translation: a carriage return stays one
        self._written = 0
        self._origins: list[tuple[int, int]] = []

    def encoded(self, value: object) -> str:
        """The value as it is written at this place."""
        return as_text(value)

    def follow(self, text: str) -> None:
        """Take note of literal template text that goes by."""

    def put_literal(self, text: str, origin: int) -> int:
        self._origins.append((self._written, origin))
        self.follow(text)
        return self._put(text)

    def put_value(self, value: object, origin: int) -> int:
        self._origins.append((self._written, origin))
        return self._put(self.encoded(value))

    def write(self, text: str) -> int:
        self.follow(text)
        return self._put(text)

    def origin_of(self, offset: int) -> int:
        """The offset in the template that output offset came from."""
        before = [(at, origin) for at, origin in self._origins if at <= offset]
        at, origin = before[-1] if before else (0, 0)
        return origin + offset - at

    def _put(self, text: str) -> int:
        self._written += len(text)
        if self._written > LONGEST_OUTPUT:
            raise OutputStreamLimitError("The result is larger than 1 MB.", token=None)
        return super().write(text)


class _Context(RenderContext):
    """Captures write to a plain Buffer: the library's own turns a carriage return into a line feed."""

    def get_buffer(self, buf: Any = None) -> Any:
        return Buffer()


class _Value(OutputNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return int(buffer.put_value(self.expression.evaluate(context), self.token.start_index))


class _Echoed(EchoNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return int(buffer.put_value(self.expression.evaluate(context), self.token.start_index))


class _Text(ContentNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return int(buffer.put_literal(self.text, self.token.start_index))


class _ValueTag(Output):
    node_class = _Value


class _TextTag(Literal):
    node_class = _Text


class _EchoTag(EchoTag):
    node_class = _Echoed


class _LimitedEnvironment(Environment):
    """Liquid without the tags that write values by themselves or load other templates, every result capped."""

    loop_iteration_limit = 10_000
    context_depth_limit = 20
    local_namespace_limit = 1_000_000
    output_stream_limit = LONGEST_OUTPUT

    def setup_tags_and_filters(self, **options: Any) -> None:
        super().setup_tags_and_filters(**options)
        for name in list(self.tags):
            if name.isalpha() and name not in _TAGS and name not in _PARTS:
                del self.tags[name]
        for tag in (_ValueTag, _TextTag, _EchoTag):
            self.add_tag(tag)
        self.filters["replace"] = _replace
        self.filters["parse_json"] = _parse_json
        self.filters["slack_escape"] = _slack_escape
        for name, function in list(self.filters.items()):
            self.filters[name] = _capped(function)
        self.filters["json"] = JsonText


def _replace(text: object, old: object = "", new: object = "") -> str:
    found, sought, put = as_text(text), as_text(old), as_text(new)
    if found.count(sought) * len(put) + len(found) > LONGEST_VALUE:
        raise FilterArgumentError("replace: the result would be too long", token=None)
    return found.replace(sought, put)


def _parse_json(text: object) -> Any:
    try:
        return json.loads(as_text(text))
    except ValueError:
        raise FilterArgumentError("parse_json: the value is not JSON", token=None) from None


def _slack_escape(text: object) -> str:
    """Slack's three control characters, so that a value mentions nobody (docs.slack.dev/messaging/formatting-message-text)."""
    return as_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _capped(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def limited(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        if isinstance(result, (str, list)) and len(result) > LONGEST_VALUE:
            raise FilterArgumentError("a value grew past 200,000 characters", token=None)
        return result

    return limited


_ENVIRONMENT = _LimitedEnvironment(undefined=StrictDefaultUndefined, strict_filters=True, autoescape=False)


@lru_cache(maxsize=512)
def parsed(source: str) -> BoundTemplate:
    """The template. Raises RenderProblem with line and column."""
    if len(source) > LONGEST_TEMPLATE:
        raise RenderProblem(f"This is longer than {LONGEST_TEMPLATE:,} characters.")
    try:
        return _ENVIRONMENT.from_string(source)
    except LiquidError as error:
        raise _problem(error) from None
    except RecursionError:
        raise RenderProblem("This is nested too deeply.") from None


def render_into(buffer: Buffer, source: str, context: Mapping[str, object]) -> None:
    """Render the template into the buffer. Raises RenderProblem, and nothing else, whatever template and values are."""
    template = parsed(source)
    try:
        template.render_with_context(_Context(template, globals=context), buffer)
    except LiquidError as error:
        raise _problem(error) from None
    except UnicodeEncodeError:
        raise RenderProblem("A value holds half of a character.") from None
    except (ValueError, TypeError, ArithmeticError, RecursionError, LookupError) as error:
        raise RenderProblem(f"A dynamic field could not be worked out ({type(error).__name__}).") from None


def _problem(error: LiquidError) -> RenderProblem:
    place = error.context()
    message = str(error.message or "This is not a valid template.")
    message = message[:1].upper() + message[1:]
    if not message.endswith("."):
        message += "."
    return RenderProblem(message, *((place[0], place[1] + 1) if place else (None, None)))

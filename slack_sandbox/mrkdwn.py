"""Slack's message text as safe HTML: everything escaped, then a little of mrkdwn put back."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
# "<" can only come from a tag put in before: styles never close across one.
_STYLES = (
    (re.compile(r"(?<![A-Za-z0-9*])\*(?=\S)([^*\n<]+?)(?<=\S)\*(?![A-Za-z0-9*])"), "strong"),
    (re.compile(r"(?<![A-Za-z0-9_])_(?=\S)([^_\n<]+?)(?<=\S)_(?![A-Za-z0-9_])"), "em"),
    (re.compile(r"(?<![A-Za-z0-9~])~(?=\S)([^~\n<]+?)(?<=\S)~(?![A-Za-z0-9~])"), "s"),
)
_ANGLED = re.compile(r"<([^<>\n]+)>|(https?://[^\s<>]+)")


def mrkdwn(text: str) -> Markup:
    """Bold, italic, strike, code, links and mentions; every part goes through escape().

    The page keeps the line breaks.
    """
    parts: list[str] = []
    position = 0
    for found in _CODE.finditer(text):
        parts.append(_prose(text[position : found.start()]))
        block, inline = found.groups()
        tag = "pre" if block is not None else "code"
        parts.append(f"<{tag}>{_plain((block if block is not None else inline).strip())}</{tag}>")
        position = found.end()
    parts.append(_prose(text[position:]))
    return Markup("".join(parts))


def _prose(text: str) -> str:
    parts: list[str] = []
    position = 0
    for found in _ANGLED.finditer(text):
        parts.append(_styled(text[position : found.start()]))
        parts.append(_reference(found.group(1)) if found.group(1) else _link(found.group(2), found.group(2)))
        position = found.end()
    parts.append(_styled(text[position:]))
    return "".join(parts)


def _styled(text: str) -> str:
    html = _plain(text)
    for pattern, tag in _STYLES:
        html = pattern.sub(rf"<{tag}>\1</{tag}>", html)
    return html


def _reference(inner: str) -> str:
    """What stands in angle brackets: a link, or a mention of a person, a channel or everyone."""
    target, _, label = inner.partition("|")
    if target.startswith(("https://", "http://")):
        return _link(target, label or target)
    if target[:1] in "@#!":
        sign = "#" if target.startswith("#") else "@"
        return f'<span class="mention">{sign}{_plain(label or target[1:])}</span>'
    return _plain(f"<{inner}>")


def _link(target: str, label: str) -> str:
    return f'<a href="{_plain(target)}" rel="noopener noreferrer" target="_blank">{_plain(label)}</a>'


def _plain(text: str) -> str:
    """Senders write & < > as entities, so these are read before everything is escaped."""
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return str(escape(text))

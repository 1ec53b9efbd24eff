"""The content of a message: one of text, blocks, attachments or markdown_text, within Slack's limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from slack_sandbox.answers import SlackError
from slack_sandbox.calls import Call

LONGEST_TEXT = 40_000  # characters; the rest is cut
LONGEST_MARKDOWN = 12_000
MOST_BLOCKS = 50
MOST_ATTACHMENTS = 100


@dataclass(frozen=True)
class Content:
    """`text` is the argument after cutting; `shown` is what the page shows, blocks first."""

    text: str
    shown: str
    truncated: bool


def read_content(call: Call) -> Content:
    """What the arguments of a call say. Raises SlackError with Slack's code for each broken rule."""
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks = _objects(call, "blocks", "invalid_blocks_format", "invalid_blocks")
    attachments = _objects(call, "attachments", "invalid_attachments", "invalid_attachments")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > LONGEST_MARKDOWN:
        raise SlackError("msg_too_long")
    if len(blocks) > MOST_BLOCKS or not all(isinstance(block.get("type"), str) for block in blocks):
        message = (
            f"[ERROR] no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]"
            if len(blocks) > MOST_BLOCKS
            else "[ERROR] missing required field: type [json-pointer:/blocks]"
        )
        raise SlackError("invalid_blocks", response_metadata={"messages": [message]})
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    shown = blocks_in_words(blocks) or text.strip() or markdown.strip() or _attachments_in_words(attachments)
    if not (shown or blocks or attachments):
        raise SlackError("no_text")
    return Content(text[:LONGEST_TEXT], shown[:LONGEST_TEXT], truncated=len(text) > LONGEST_TEXT)


def _objects(call: Call, name: str, not_a_list: str, not_objects: str) -> list[dict[str, Any]]:
    """A list of objects; a form carries it as JSON text."""
    given = call.arguments.get(name)
    if given in (None, "", []):
        return []
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise SlackError(not_a_list) from None
    if not isinstance(given, list):
        raise SlackError(not_a_list)
    if not all(isinstance(item, dict) for item in given):
        raise SlackError(not_objects)
    return given


def blocks_in_words(blocks: list[dict[str, Any]]) -> str:
    """The texts of section, header and context blocks, one a line."""
    found: list[str] = []
    for block in blocks:
        texts = [block.get("text"), *_listed(block.get("fields")), *_listed(block.get("elements"))]
        words = [
            text["text"] for text in texts if isinstance(text, dict) and isinstance(text.get("text"), str)
        ]
        found += words
    return "\n".join(found)


def _attachments_in_words(attachments: list[dict[str, Any]]) -> str:
    lines = [str(item.get("text") or item.get("fallback") or "") for item in attachments]
    return "\n".join(line for line in lines if line)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

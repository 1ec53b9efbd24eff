"""What a browser calls itself, in words for people. Pure."""

from __future__ import annotations

from functools import lru_cache

import ua_parser


@lru_cache(maxsize=256)
def browser_words(user_agent: str) -> str:
    """A User-Agent header as in "Chrome 140 on Linux"; its beginning as it is where nobody knows it."""
    browser, system = ua_parser.parse_user_agent(user_agent), ua_parser.parse_os(user_agent)
    if browser is None:
        return user_agent[:60] or "Unknown browser"
    name = f"{browser.family} {browser.major}" if browser.major else browser.family
    return f"{name} on {system.family}" if system else name

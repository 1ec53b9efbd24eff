"""What a kind of notification has to answer."""

from __future__ import annotations


class NotificationKind:
    """`label` and `when` stand on the page where people turn kinds off, the icon (of tools/icons.txt) beside each one.

    `may_be_muted`: whether a person can do without it.
    """

    key: str
    label: str
    when: str
    icon: str
    may_be_muted = True

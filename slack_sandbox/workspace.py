"""The people and channels of the practice workspace. They are the same at every start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in to the workspace and allow the app to act."""

    id: str
    handle: str
    name: str
    title: str

    @property
    def initials(self) -> str:
        return self.name[:2].upper()


@dataclass(frozen=True)
class Channel:
    """`app_is_member` is how it starts; the workspace page can invite the app and remove it."""

    id: str
    name: str
    topic: str
    app_is_member: bool = True
    is_private: bool = False
    is_archived: bool = False
    is_read_only: bool = False


PEOPLE = {
    person.id: person
    for person in (
        Person("U061F7AUR", "ines", "Ines", "Integrations"),
        Person("U0RUNE4JK", "rune", "Rune", "Runs the runbooks"),
        Person("U0CARL7QX", "carl", "Carl", "Custom fields"),
        Person("U0ADA9MZT", "ada", "Ada", "Administrator"),
    )
}

CHANNELS = {
    channel.id: channel
    for channel in (
        Channel("C024BE91L", "ops-runbooks", "What runbooks have to say"),
        Channel("C0DRWAR7M", "dr-war-room", "Failovers, minute by minute"),
        Channel("C0PAYOPS3", "payments-ops", "Payments operations"),
        Channel("C0READONLY", "announcements", "Only administrators post here", is_read_only=True),
        Channel("C0NOTIN55", "vendor-desk", "Public, and the app has not been invited", app_is_member=False),
        Channel(
            "C0PRIVATE8",
            "exec-crisis",
            "Private: the app cannot see it",
            app_is_member=False,
            is_private=True,
        ),
        Channel("C0ARCHIVE", "old-ops", "Archived in spring", is_archived=True),
    )
}


def channel_named(reference: str) -> Channel | None:
    """The channel with this ID or name; the name may start with "#"."""
    if reference in CHANNELS:
        return CHANNELS[reference]
    name = reference.removeprefix("#")
    return next((channel for channel in CHANNELS.values() if channel.name == name), None)

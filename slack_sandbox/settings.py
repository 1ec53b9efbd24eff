"""What a sandbox is started with: the registered app, the address of its store, and the rules in force."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """One registered app in one workspace.

    `store_path` is an SQLite file, or None for memory only. `redirect_uris` are the app's registered Redirect
    URLs. `rotation`, `pkce_enabled` and `rate_limit` are the state the switches start from and return to.
    """

    store_path: str | None = None
    redirect_uris: list[str] = field(default_factory=list)
    client_id: str = "2141029472.691202649728"
    client_secret: str = "e1b9e11dfcd19c1982d5de12921e17e8c"
    app_id: str = "A0KRD7HC3"
    app_name: str = "Runsheet"
    bot_user_name: str = "runsheet"
    bot_user_id: str = "U0KRQLJ9H"
    bot_id: str = "B0KRD7HC3"
    team_name: str = "Slack sandbox"
    team_id: str = "T9TK3CUKW"
    rotation: bool = False
    pkce_enabled: bool = False
    rate_limit: bool = True

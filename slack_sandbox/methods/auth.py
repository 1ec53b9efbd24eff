"""auth.test and auth.revoke."""

from __future__ import annotations

from typing import Any

from slack_sandbox.calls import Call
from slack_sandbox.methods.base import Method
from slack_sandbox.sandbox import Sandbox
from slack_sandbox.workspace import PEOPLE


class AuthTest(Method):
    name = "auth.test"

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        grant, settings = call.granted(), here.settings
        answer: dict[str, Any] = {
            "url": call.root,
            "team": settings.team_name,
            "team_id": settings.team_id,
            "is_enterprise_install": False,
        }
        if grant.kind == "bot":
            who = {
                "user": settings.bot_user_name,
                "user_id": settings.bot_user_id,
                "bot_id": settings.bot_id,
            }
        else:
            person = PEOPLE[grant.person_id]
            who = {"user": person.handle, "user_id": person.id}
        return answer | who


class AuthRevoke(Method):
    """With `test=1` it only tries; the answer then says revoked: false."""

    name = "auth.revoke"

    def carry_out(self, here: Sandbox, call: Call) -> dict[str, Any]:
        trial = call.flag("test")
        if not trial:
            here.grants.revoke(call.granted().id)
        return {"revoked": not trial}

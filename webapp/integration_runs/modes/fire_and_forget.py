"""Fire and forget: done as soon as the other side has accepted the request."""

from __future__ import annotations

from webapp.http import Answered
from webapp.integration_runs.modes.base import ExecutionMode
from webapp.integration_runs.outcomes import Rules
from webapp.integrations.explanations import Explanation


class FireAndForget(ExecutionMode):
    key = "fire_and_forget"
    label = "Fire and forget"
    hint = "Done as soon as the other system accepts the request: any 2xx answer."

    def judge(
        self, answered: Answered, *, url: str, body: str | None, headers: dict[str, str], rules: Rules
    ) -> Explanation | None:
        found = self.explained(answered, url, body, headers)
        accepted = 200 <= answered.status < 300
        return None if found is not None and accepted and not rules.ok_false_fails else found

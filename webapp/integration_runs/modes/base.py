"""What an execution mode answers: when a call counts as done. Pure: no Flask request, no database."""

from __future__ import annotations

from typing import Any, ClassVar

from webapp.http import Answered
from webapp.integration_runs.outcomes import Rules, answer_of
from webapp.integrations.explanations import Explanation, explain, values_of_body


class ExecutionMode:
    """One execution mode. Subclasses give key, label and hint, and may judge answers in their own way."""

    key: ClassVar[str]
    label: ClassVar[str]
    hint: ClassVar[str] = ""
    version: ClassVar[int] = 1

    def judge(
        self, answered: Answered, *, url: str, body: str | None, headers: dict[str, str], rules: Rules
    ) -> Explanation | None:
        """Why the answer is not a yes, or None where it is one. `url`, `body` and `headers` are the request's."""
        raise NotImplementedError

    def explained(
        self, answered: Answered, url: str, body: str | None, headers: dict[str, str]
    ) -> Explanation | None:
        """What the answer means by itself."""
        return explain(answer_of(url, answered), values=_Values(body, headers))


class _Values(dict[str, Any]):
    """The request's values, read only if a sentence quotes one."""

    def __init__(self, body: str | None, headers: dict[str, str]) -> None:
        super().__init__()
        self._body, self._headers = body, headers
        self._read = False

    def get(self, key: str, default: Any = None) -> Any:
        if not self._read:
            self._read = True
            content_type = next((v for k, v in self._headers.items() if k.lower() == "content-type"), "")
            self.update(values_of_body(self._body, content_type))
        return super().get(key, default)

"""How an exchange ended, and what follows: settled, or tried again by itself. Pure: no Flask app, no database.

Tried again by itself: what was never sent and may work later, 429, 408, 425, 503 with Retry-After, and Slack's
`ratelimited`. What may have arrived is repeated only where the action says *safe to repeat*.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from webapp.http import Answered, MaybeSent, NotSent, Outcome
from webapp.integration_runs.states import RunEvent
from webapp.integrations.explanations import Answer, Explanation, retry_after_s

MOST_REPEATS = 5
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 3600.0
STORED_BODY = 65_536

# Who can mend a request that never left, where it is not the integration admin.
_WHO_NOT_SENT = {
    "address_blocked": "administrator",
    "port_blocked": "administrator",
    "connection_refused": "whoever runs the other system",
    "connect_timeout": "whoever runs the other system",
    "connect_failed": "whoever runs the other system",
    "tls_timeout": "whoever runs the other system",
    "dns_timeout": "administrator",
    "internal_error": "administrator",
    "not_authenticated": "integration admin or task user",
    "authentication_refused": "whoever signed in",
    "authentication_expired": "whoever signed in",
    "host_changed": "whoever signed in",
    "worker_busy": "nobody",
}


@dataclass(frozen=True)
class Rules:
    """What the action says about outcomes, and how often the run was already repeated by itself."""

    ok_false_fails: bool = True
    safe_to_repeat: bool = False
    repeats: int = 0


@dataclass(frozen=True)
class Verdict:
    """What an exchange means for its run. `wait_s`: seconds until it is tried again, with event DEFER only.

    `attempt_event` is what happened to the attempt itself: a deferred run's attempt has failed, or is unknown.
    """

    event: RunEvent
    attempt_event: RunEvent
    code: str
    sentence: str
    remedy: str = ""
    who: str = ""
    wait_s: float | None = None
    refuses_sign_in: bool = False

    @property
    def outcome(self) -> dict[str, str]:
        """What the run's row keeps for people."""
        return {"code": self.code, "sentence": self.sentence, "remedy": self.remedy, "who": self.who}


def verdict_of(
    outcome: Outcome,
    rules: Rules,
    judge: Callable[[Answered], Explanation | None],
    *,
    moment: datetime,
    chance: Callable[[], float] = random.random,
) -> Verdict:
    """The verdict on an exchange. `judge` is the execution mode's: None where the answer is a yes."""
    if isinstance(outcome, NotSent):
        found = Verdict(
            RunEvent.FAIL,
            RunEvent.FAIL,
            outcome.code,
            outcome.sentence,
            outcome.remedy,
            _WHO_NOT_SENT.get(outcome.code, "integration admin"),
        )
        return _repeated(found, rules, chance) if outcome.retryable else found
    if isinstance(outcome, MaybeSent):
        found = Verdict(
            RunEvent.LOSE, RunEvent.LOSE, outcome.code, outcome.sentence, outcome.remedy, "task user"
        )
        return _repeated(found, rules, chance) if rules.safe_to_repeat else found
    explanation = judge(outcome)
    if explanation is None:
        return Verdict(RunEvent.SUCCEED, RunEvent.SUCCEED, f"http_{outcome.status}", _accepted(outcome))
    event = RunEvent.LOSE if explanation.may_have_happened else RunEvent.FAIL
    found = Verdict(
        event,
        event,
        explanation.code,
        explanation.sentence,
        explanation.remedy,
        explanation.who,
        refuses_sign_in=explanation.refuses_sign_in,
    )
    if explanation.repeatable or (explanation.may_have_happened and rules.safe_to_repeat):
        asked_s = retry_after_s(outcome.headers, moment)
        found = _repeated(found, rules, chance, asked_s=asked_s)
        if found.event is RunEvent.DEFER and explanation.repeatable:
            return replace(found, remedy="Nothing needs to be done.", who="nobody")
    return found


def wait_before(repeat: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds before the `repeat`th repeat (from 1): 2, 4, 8, 16, 32, each up to a quarter more or less."""
    return FIRST_WAIT_S * 2.0 ** (repeat - 1) * (0.75 + 0.5 * chance())


def answer_of(url: str, answered: Answered) -> Answer:
    """The answer as explanations read it."""
    return Answer(url, answered.status, answered.headers, text_of(answered), answered.truncated)


def text_of(answered: Answered) -> str:
    """The body as text: in the charset it names, or UTF-8; what cannot be read is replaced."""
    _, _, charset = answered.headers.get("content-type", "").lower().partition("charset=")
    try:
        text = answered.body.decode(charset.split(";")[0].strip(" \"'") or "utf-8", "replace")
    except LookupError:
        text = answered.body.decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd")


def _repeated(
    found: Verdict, rules: Rules, chance: Callable[[], float], *, asked_s: float | None = None
) -> Verdict:
    """The verdict put off to a later repeat, or left as it is, with a word on why there is none."""
    if rules.repeats >= MOST_REPEATS:
        return replace(found, sentence=f"{found.sentence} It was tried again {MOST_REPEATS} times by itself.")
    if asked_s is not None and asked_s > LONGEST_WAIT_S:
        return replace(
            found,
            sentence=f"{found.sentence} It asks to wait longer than an hour, so it is not tried again by itself.",
        )
    repeat = rules.repeats + 1
    wait_s = wait_before(repeat, chance)
    if asked_s is not None:
        # Never before the moment that was asked for, and not everyone at that same moment.
        wait_s = asked_s + min(wait_s, 1.0) * chance()
    note = f"It is tried again by itself in {max(1, round(wait_s))} s (repeat {repeat} of {MOST_REPEATS})."
    return replace(found, event=RunEvent.DEFER, sentence=f"{found.sentence} {note}", wait_s=wait_s)


def _accepted(answered: Answered) -> str:
    sentence = f"The other system accepted it (HTTP {answered.status})."
    if answered.truncated:
        sentence += " Its answer was larger than what is read, so only the start of it was kept."
    return sentence

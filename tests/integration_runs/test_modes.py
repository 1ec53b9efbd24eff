"""What every execution mode has to answer."""

from __future__ import annotations

import pytest

from webapp.http import Answered
from webapp.integration_runs.modes import MODES, ExecutionMode
from webapp.integration_runs.outcomes import Rules


@pytest.mark.parametrize("mode", list(MODES), ids=lambda mode: mode.key)
def test_each_mode_names_itself_and_explains_a_refusal(mode: ExecutionMode) -> None:
    refused = Answered(404, {}, b"", False, 3)
    explanation = mode.judge(refused, url="https://api.example.com/x", body=None, headers={}, rules=Rules())
    assert mode.key.isidentifier()
    assert mode.label[0].isupper()
    assert mode.hint.endswith(".")
    assert explanation is not None
    assert explanation.code == "http_404"

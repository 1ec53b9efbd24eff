"""The action editor as it is drawn."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenAs
from tests.browser.test_two_viewers import planned_runbook

pytestmark = pytest.mark.browser

LONG = "Announce to every branch, agency and correspondent bank that the failover has begun and whom to call"


def test_a_sample_with_a_long_name_stands_beside_the_heading_of_the_preview(
    open_as: OpenAs, slack: str
) -> None:
    dana = open_as("Dana")
    address = planned_runbook(dana, "Failover of the core banking system", LONG)
    dana.goto(f"{address}?task=1")
    with dana.expect_response("**/tasks/1"):
        dana.get_by_label("Type", exact=True).select_option(label="Slack: Post to a channel")
    dana.goto(f"{slack}#request")
    sample = dana.get_by_label("Sample task")
    expect(sample.locator("option").filter(has_text=LONG)).to_have_count(1)
    for width in (1440, 390):
        dana.set_viewport_size({"width": width, "height": 900})
        ends, begins = dana.evaluate("""() => {
          const words = document.createRange();
          words.selectNodeContents(document.querySelector('#request-check h3'));
          const { left } = document.querySelector('#sample').getBoundingClientRect();
          return [words.getBoundingClientRect().right, left];
        }""")
        assert ends <= begins

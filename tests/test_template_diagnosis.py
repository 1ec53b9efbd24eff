"""What the editor says about a request template before it is saved."""

from __future__ import annotations

import pytest

from tests.test_templating import GUIDE, GUIDE_AS_PRINTED
from webapp.template_diagnosis import KnownNames, check
from webapp.templating import RequestTemplate

KNOWN = KnownNames({"Slack Channel": "text", "Slack Message": "text"}, frozenset({"Change Number"}))
JSON = '{"Content-Type":"application/json"}'


def found(body: str, **parts: str) -> list[tuple[str, str, str, str]]:
    """(part, severity, place, message) of everything that is said."""
    settings = {"method": "POST", "url": "https://slack.com/api/chat.postMessage", "headers": JSON, **parts}
    template = RequestTemplate(body=body, **settings)
    return [(each.part, each.severity, each.place, each.message) for each in check(template, KNOWN)]


def test_the_guides_request_has_no_problem() -> None:
    assert found(GUIDE) == []


def test_the_guides_missing_quote_comes_with_its_fix() -> None:
    template = RequestTemplate("POST", "https://slack.com/api/chat.postMessage", JSON, body=GUIDE_AS_PRINTED)
    [problem] = check(template, KNOWN)
    assert (problem.severity, problem.place, problem.fix) == ("error", "Line 1, column 54", GUIDE)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            """{"a":"{{CustomField['Slack Chanel']}}"}""",
            (
                "body",
                "error",
                "Line 1, column 9",
                "There is no custom field ‘Slack Chanel’. Did you mean ‘Slack Channel’?",
            ),
        ),
        (
            """{"a":"{{CustomField['Change Number']}}"}""",
            (
                "body",
                "warning",
                "Line 1, column 9",
                (
                    "The custom field ‘Change Number’ exists, but is not shown with this action: "
                    "other workspaces, or another action."
                ),
            ),
        ),
        (
            """{"a":"{{Task.nmae}}"}""",
            ("body", "error", "Line 1, column 9", "A task has no “nmae”. Did you mean ‘name’?"),
        ),
        (
            """{"a":"{{Tsk.name}}"}""",
            ("body", "error", "Line 1, column 9", "There is nothing called “Tsk”. Did you mean ‘Task’?"),
        ),
        (
            """{"{{CustomField['Slack Channel']}}":1}""",
            (
                "body",
                "warning",
                "",
                "A dynamic field gives a property its name; a value may then replace another property.",
            ),
        ),
    ],
)
def test_each_finding_has_its_sentence(body: str, said: tuple[str, str, str, str]) -> None:
    assert found(body) == [said]


def test_a_name_that_is_worked_out_later_is_only_noted() -> None:
    severities = [each[1] for each in found("""{"a":"{{CustomField[Task.name]}}"}""")]
    assert "note" in severities


def test_an_authorization_header_beside_the_tab_is_set_twice() -> None:
    template = RequestTemplate("POST", "https://a.example/", '{"Authorization":"Bearer x"}', body="{}")
    [problem] = check(template, KNOWN, authorization_sets_header=True)
    assert (problem.part, problem.severity) == ("headers", "error")
    assert check(template, KNOWN) == []


def test_http_is_warned_of_and_a_payload_of_a_get_is_noted() -> None:
    said = found("{}", method="GET", url="http://a.example/")
    assert [each[:2] for each in said] == [("url", "warning"), ("body", "note")]


def test_the_json_is_checked_although_a_name_is_unknown() -> None:
    said = found(GUIDE_AS_PRINTED.replace("Slack Message", "Nope"))
    assert [each[3] for each in said] == [
        "This text value has an opening double quote but no closing one.",
        "There is no custom field ‘Nope’.",
    ]


@pytest.mark.parametrize("url", ["https://[", "http://[::1"])
def test_an_address_that_cannot_be_read_is_refused(url: str) -> None:
    assert found(GUIDE, url=url) == [("url", "error", "", "The host of the URL is not valid.")]


def test_loopback_needs_no_tls() -> None:
    assert found(GUIDE, url="http://127.0.0.1:5056/api/chat.postMessage") == []

"""What the editor shows of a request."""

from __future__ import annotations

from webapp.integrations.authorizations import AUTHORIZATIONS
from webapp.integrations.request import check, masked_credential, sentence, template_of
from webapp.integrations.settings import RequestSettings
from webapp.template_diagnosis import KnownNames

GUIDE = RequestSettings(
    url="https://slack.com/api/chat.postMessage",
    headers='{"Content-Type":"application/json"}',
    body="""{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}"}""",
)
GUIDE_AS_PRINTED = RequestSettings(
    url=GUIDE.url,
    headers=GUIDE.headers,
    body="""{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}}""",
)
KNOWN = KnownNames({"Slack Channel": "text", "Slack Message": "text"}, frozenset({"Other team's"}))
OAUTH = AUTHORIZATIONS["oauth_code"]


def test_the_preview_is_the_exact_request_with_the_credential_masked() -> None:
    found = check(
        GUIDE,
        KNOWN,
        kind=OAUTH,
        settings={},
        context={"CustomField": {"Slack Channel": "#ops", "Slack Message": 'say "hi"'}},
    )
    assert found.problems == ()
    assert found.rendered is not None
    assert found.rendered.body == b'{"channel":"#ops","text":"say \\"hi\\""}'
    assert found.headers == (("Content-Type", "application/json"), ("Authorization", "Bearer ••••••"))


def test_the_guides_own_payload_is_caught_where_its_quote_is_missing_and_mended() -> None:
    found = check(GUIDE_AS_PRINTED, KNOWN, kind=OAUTH, settings={})
    assert [(each.part, each.line, each.column) for each in found.errors] == [("body", 1, 54)]
    assert sentence(found.errors[0]).startswith(
        "Line 1, column 54: This text value has an opening double quote but no closing one."
    )
    assert found.errors[0].fix == GUIDE.body
    assert found.rendered is None


def test_a_misspelt_field_is_an_error_with_the_name_that_was_meant() -> None:
    settings = RequestSettings(url=GUIDE.url, body="""{"channel":"{{CustomField['Slack Chanel']}}"}""")
    found = check(settings, KNOWN, kind=OAUTH, settings={})
    assert [each.message for each in found.errors] == [
        "There is no custom field ‘Slack Chanel’. Did you mean ‘Slack Channel’?"
    ]


def test_a_field_that_is_shown_elsewhere_only_warns_once() -> None:
    settings = RequestSettings(url=GUIDE.url, body="""{"channel":"{{CustomField["Other team's"]}}"}""")
    found = check(settings, KNOWN, kind=OAUTH, settings={})
    assert (len(found.errors), len(found.remarks)) == (0, 1)


def test_an_empty_url_is_not_checked_yet() -> None:
    found = check(RequestSettings(body="{"), KNOWN, kind=OAUTH, settings={})
    assert (found.problems, found.rendered) == ((), None)


def test_an_authorization_header_beside_an_authorization_type_is_refused() -> None:
    settings = RequestSettings(url=GUIDE.url, headers='{"Authorization":"Bearer x"}')
    assert [each.part for each in check(settings, KNOWN, kind=OAUTH, settings={}).errors] == ["headers"]
    assert check(settings, KNOWN, kind=AUTHORIZATIONS["none"], settings={}).errors == []


def test_values_of_a_task_that_do_not_fit_are_a_remark_not_an_error() -> None:
    settings = RequestSettings(url="https://example.test/{{CustomField['Slack Channel']}}", method="GET")
    found = check(settings, KNOWN, kind=None, settings={}, context={"CustomField": {"Slack Channel": ".."}})
    assert [each.severity for each in found.problems] == ["warning"]
    assert found.problems[0].message.startswith("With this task’s values: ")


def test_masks_hold_no_secret_whatever_the_type() -> None:
    shown = {
        kind.key: masked_credential(kind, {"token_type": "Bearer", "username": "run"})
        for kind in AUTHORIZATIONS
    }
    assert shown == {
        "none": [],
        "token": [("Authorization", "Bearer ••••••")],
        "basic": [("Authorization", "Basic ••••••")],
        "oauth_code": [("Authorization", "Bearer ••••••")],
    }


def test_names_to_insert_are_written_as_the_template_reads_them() -> None:
    found = check(GUIDE, KnownNames({"Slack Channel": "text", "Rune's": "text"}), kind=None, settings={})
    assert [each.text for each in found.insertable[:2]] == [
        "{{CustomField['Slack Channel']}}",
        '{{CustomField["Rune\'s"]}}',
    ]
    assert "{{Task.name}}" in [each.text for each in found.insertable]


def test_the_template_of_an_action_is_its_request_tab() -> None:
    assert template_of(GUIDE).body == GUIDE.body

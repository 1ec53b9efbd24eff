"""Request templates: values never break out of their place, and every mistake has its sentence and place."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import liquid
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.liquid_environment import RenderProblem
from webapp.templating import (
    RequestTemplate,
    TemplateError,
    render_form,
    render_headers,
    render_json,
    render_raw,
    render_url,
    render_xml,
)

GUIDE = """{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}"}"""
GUIDE_AS_PRINTED = (
    """{"channel":"{{CustomField['Slack Channel']}}","text":"{{CustomField['Slack Message']}}}"""
)


def fields(**values: object) -> dict[str, Any]:
    return {"CustomField": {name.replace("_", " "): value for name, value in values.items()}}


nasty = st.one_of(
    st.text(),
    st.text(alphabet="\"\\{}[]:,\n\r\t\0\u2028\u2029<>&'%#/?@; =+"),
    st.sampled_from(
        [
            '","channel":"#general',
            '"}',
            "\\",
            '\\"',
            "{{CustomField['x']}}",
            "{% raw %}",
            "\ud800",
            "😀",
            "a\nb",
            "\x7f",
            "</script>",
            "]]>",
            "null",
            "1e999",
            ".",
            "..",
        ]
    ),
)
leaf = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
anything = st.recursive(
    leaf,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=5), each, max_size=4),
    max_leaves=8,
)


@settings(max_examples=600)
@given(nasty, nasty)
def test_the_guides_payload_carries_any_two_values_unchanged(channel: str, message: str) -> None:
    text, found = render_json(GUIDE, fields(Slack_Channel=channel, Slack_Message=message))
    assert found == {"channel": channel, "text": message}
    assert list(found) == ["channel", "text"]
    assert json.loads(text.encode()) == found


@settings(max_examples=400)
@given(anything)
def test_without_quotes_a_value_keeps_its_type(value: object) -> None:
    source = (
        """{"v": {{ CustomField['v'] }}, "w": "{{CustomField['v']}}", "j": {{ CustomField['v'] | json }}}"""
    )
    _, found = render_json(source, fields(v=value))
    assert found["v"] == value and type(found["v"]) is type(value)
    assert isinstance(found["w"], str)
    assert found["j"] == value


@settings(max_examples=200)
@given(st.lists(nasty, max_size=5), nasty)
def test_loops_conditions_and_captures_stay_valid(items: list[str], message: str) -> None:
    source = """{% assign shout = CustomField['m'] | upcase %}{% capture both %}{{ CustomField['m'] }}/{{ shout }}{% endcapture %}
    {"blocks":[{% for x in CustomField['xs'] %}{"text":"*{{ x }}*"}{% unless forloop.last %},{% endunless %}{% endfor %}],
     "both":"{{ both }}"{% if CustomField['m'] != blank %},"m":{{ CustomField['m'] }}{% endif %}}"""
    _, found = render_json(source, fields(xs=items, m=message))
    assert [block["text"] for block in found["blocks"]] == [f"*{item}*" for item in items]
    assert found["both"] == f"{message}/{message.upper()}"


def test_plain_liquid_would_let_a_message_redirect_the_post() -> None:
    template = liquid.Environment().from_string(GUIDE)
    evil = {"Slack Channel": "#ops", "Slack Message": 'x","channel":"#general'}
    assert json.loads(template.render(CustomField=evil))["channel"] == "#general"
    assert render_json(GUIDE, {"CustomField": evil})[1]["channel"] == "#ops"


def test_a_value_cannot_name_a_property_that_exists() -> None:
    with pytest.raises(RenderProblem, match=r"The property “channel” occurs twice\."):
        render_json("""{"channel":"#a","{{CustomField['k']}}":"#evil"}""", fields(k="channel"))


def test_the_guides_missing_quote_is_found_and_mended() -> None:
    with pytest.raises(TemplateError) as found:
        render_json(GUIDE_AS_PRINTED, fields(Slack_Channel="a", Slack_Message="b"))
    error = found.value
    assert error.message == "This text value has an opening double quote but no closing one."
    assert (error.line, error.column, error.place) == (1, 54, "Line 1, column 54")
    assert error.hint == "Add the missing \" after Field['Slack Message']}}"
    assert error.fix == GUIDE


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        (
            '{"a":1,}',
            (1, 8),
            "A property name in double quotes is expected here (is there a comma too many?).",
        ),
        (
            '{"a":1, \n }',
            (2, 2),
            "A property name in double quotes is expected here (is there a comma too many?).",
        ),
        ("[1, ]", (1, 5), "A value is expected here."),
        ('{"a" 1}', (1, 6), "A colon is expected after the property name."),
        (
            "{'a':1}",
            (1, 2),
            "A property name in double quotes is expected here (is there a comma too many?).",
        ),
        (
            '{"a":"x\ny"}',
            (1, 8),
            "A line break or control character stands inside a text value: write \\n instead.",
        ),
        ("""{"a":"{{CustomField['a']}}"}}""", (1, 29), "There is text after the end of the JSON."),
        ("""{"a":"{{CustomField['a'] | shout}}"}""", (1, 28), "Unknown filter 'shout'."),
        ("", (1, 1), "A value is expected here."),
        ('{"a":{{CustomField[\'a\']}} "b":2}', (1, 27), "A comma or a closing bracket is missing here."),
    ],
)
def test_each_mistake_has_its_place_and_sentence(source: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises((TemplateError, RenderProblem)) as found:
        render_json(source, fields(a="x"))
    assert ((found.value.line, found.value.column), found.value.message) == (place, message)


@pytest.mark.parametrize(
    "source",
    [
        """{"a":"{{CustomField['zz']}}"}""",
        """{"a":"{{CustomField['a' }}"}""",
        """{"a":"{{ a""",
        """{"a":"{% cycle 'x' %}"}""",
        """{"a":"{% include 'x' %}"}""",
        """{"a":"{% render 'x' %}"}""",
        """\n\n{"a":"{{ CustomField[“a”] }}"}""",
        '{"a": "\\{{ CustomField[\'a\'] }}"}',
        '{"a": NaN}',
    ],
)
def test_what_cannot_be_rendered_is_refused(source: str) -> None:
    with pytest.raises((TemplateError, RenderProblem)):
        render_json(source, fields(a="x"))


def test_names_may_be_quoted_either_way() -> None:
    assert render_json('{"a":"{{CustomField["a b"]}}"}', fields(a_b="x"))[1] == {"a": "x"}


def test_blank_is_empty_text_inside_quotes_and_null_outside() -> None:
    source = """{"a":"{{CustomField['nope'] | default: 'n/a'}}","b":{{CustomField['e']}},"c":"{{CustomField['e']}}"}"""
    assert render_json(source, fields(e=None))[1] == {"a": "n/a", "b": None, "c": ""}


def test_a_multi_select_is_a_list_outside_quotes_and_joined_inside() -> None:
    source = (
        """{"a":{{CustomField['m']}},"b":"{{CustomField['m']}}","c":"{{CustomField['m'] | join: ' / '}}"}"""
    )
    assert render_json(source, fields(m=["x", 'y"']))[1] == {"a": ["x", 'y"'], "b": 'x, y"', "c": 'x / y"'}


def test_slack_escape_keeps_a_value_from_mentioning_everyone() -> None:
    source = """{"text":"{{CustomField['m'] | slack_escape}}"}"""
    assert render_json(source, fields(m="<!channel> & co"))[1] == {"text": "&lt;!channel&gt; &amp; co"}


@settings(max_examples=300)
@given(nasty)
def test_a_value_in_a_url_stays_in_its_place(value: str) -> None:
    source = "https://api.example.com/v1/{{CustomField['v']}}/x?q={{CustomField['v']}}#f"
    try:
        url = render_url(source, fields(v=value))
    except RenderProblem:
        assert value in (".", "..") or re.search("[\ud800-\udfff]", value)
        return
    parts = urlsplit(url)
    assert (parts.netloc, parts.path.count("/")) == ("api.example.com", 3)
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == {"q": value}
    assert unquote(parts.path.split("/")[2]) == value


@pytest.mark.parametrize(
    "source",
    [
        "https://{{CustomField['v']}}/x",
        "https://a.com{{CustomField['v']}}",
        "https://u@a.com/",
        "ftp://a/",
        "https://a.com:80{{CustomField['v']}}/",
        "javascript:alert(1)",
        "https://a.com\\@b/",
        "https://a.com:99999/",
        "https:///x",
    ],
)
def test_the_host_of_a_url_is_fixed(source: str) -> None:
    with pytest.raises(RenderProblem):
        render_url(source, fields(v=".evil.com"))


@settings(max_examples=300)
@given(nasty)
def test_a_value_never_adds_a_header(value: str) -> None:
    source = """{"Content-Type":"application/json","X-Note":"n {{CustomField['v']}}"}"""
    try:
        headers = render_headers(source, fields(v=value))
    except RenderProblem:
        return
    assert list(headers) == ["Content-Type", "X-Note"]
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", headers["X-Note"])
    headers["X-Note"].encode("latin-1")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{"X A": "1"}', "“X A” is not a header name."),
        ('{"Host": "evil"}', "The header Host is set by Runsheet and cannot be given here."),
        ('{"Content-Length": "1"}', "The header Content-Length is set by Runsheet and cannot be given here."),
        ('{"Proxy-Pass": "x"}', "The header Proxy-Pass is set by Runsheet and cannot be given here."),
        ('{"A": "1", "a": "2"}', "The header a occurs twice."),
        ('{"A": 1}', "The header A must be text in double quotes."),
        ('["A"]', "Headers must be a JSON object."),
        ('{"A": "日本"}', "The header A would hold characters that a header cannot carry."),
    ],
)
def test_each_wrong_header_has_its_sentence(source: str, message: str) -> None:
    with pytest.raises(RenderProblem) as found:
        render_headers(source, {})
    assert found.value.message == message


@settings(max_examples=300)
@given(nasty, nasty)
def test_a_form_carries_any_two_values_unchanged(a: str, b: str) -> None:
    try:
        body = render_form("a={{CustomField['a']}}&b={{CustomField['b']}}", fields(a=a, b=b))
    except RenderProblem:
        assert re.search("[\ud800-\udfff]", a + b)
        return
    assert parse_qsl(body, keep_blank_values=True, strict_parsing=True) == [("a", a), ("b", b)]


@settings(max_examples=300)
@given(nasty, nasty)
def test_xml_carries_any_two_values_unchanged(a: str, b: str) -> None:
    source = "<m c=\"{{CustomField['a']}}\"><t>{{CustomField['b']}}</t></m>"
    try:
        text = render_xml(source, fields(a=a, b=b))
    except RenderProblem:
        assert re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", a + b)
        return
    root = ElementTree.fromstring(text.encode())
    assert (root.attrib, root[0].text or "", len(root)) == ({"c": a}, b, 1)


@settings(max_examples=300)
@given(st.text(alphabet="{}%|[]'\"CustomFieldabc .:,0123456789\n-"), nasty)
def test_no_template_raises_anything_but_its_own_errors(source: str, value: str) -> None:
    try:
        render_json(source, fields(a=value))
    except (RenderProblem, TemplateError):
        return


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{{ CustomField['s'] " + "| replace: 'a', CustomField['s'] " * 6 + "}}",
        "{% assign s = CustomField['s'] %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s | size }}",
        "{{ 9 " + "| times: 99999999999999999999 " * 400 + "}}",
        "{% capture c %}{% for i in (1..9999) %}{{ CustomField['s'] }}{% endfor %}{% endcapture %}{{ c }}{{ c }}",
        "{% if true %}" * 3000 + "1" + "{% endif %}" * 3000,
        "x" * 64_001,
    ],
    ids=["loop", "replace", "append", "times", "capture", "nesting", "length"],
)
def test_a_template_that_would_grow_without_bound_is_refused(source: str) -> None:
    with pytest.raises(RenderProblem):
        render_raw(source, fields(s="a" * 100))


def test_parameters_become_the_query_of_a_get() -> None:
    template = RequestTemplate(
        "GET",
        "https://api.example.com/find?x=1#top",
        parameters="""{"q": "{{CustomField['q']}}", "tag": {{CustomField['tags']}}, "none": null}""",
        body="not sent",
    )
    rendered = template.render(fields(q="a&b=c", tags=["x", "y z"]))
    assert rendered.url == "https://api.example.com/find?x=1&q=a%26b%3Dc&tag=x&tag=y+z#top"
    assert (rendered.body, rendered.host) == (None, "api.example.com")


def test_the_body_is_written_for_its_content_type() -> None:
    def body(kind: str, text: str) -> str:
        headers = json.dumps({"Content-Type": kind})
        return (
            RequestTemplate("POST", "https://a.example/", headers, body=text)
            .render(fields(v='a"&<'))
            .body_text
        )

    assert body("application/json; charset=utf-8", """["{{CustomField['v']}}"]""") == '["a\\"&<"]'
    assert body("application/vnd.api+json", """["{{CustomField['v']}}"]""") == '["a\\"&<"]'
    assert body("application/x-www-form-urlencoded", "v={{CustomField['v']}}") == "v=a%22%26%3C"
    assert body("text/xml", "<v>{{CustomField['v']}}</v>") == "<v>a&quot;&amp;&lt;</v>"
    assert body("text/plain", "{{CustomField['v']}}") == 'a"&<'


def test_errors_say_which_part_they_are_in() -> None:
    template = RequestTemplate("POST", "https://a.example/", '{"A": 1}', body="{}")
    with pytest.raises(TemplateError) as found:
        template.render({})
    assert found.value.part == "headers"


def test_references_are_listed_with_their_places() -> None:
    source = (
        """{% assign n = 'x' %}{"a":"{{ CustomField['Slack Channel'] }}",\n"""
        """"b":"{{Task.name | upcase}}","c":"{{ CustomField[Task.name] }}"}"""
    )
    found = RequestTemplate("POST", "https://a.example/", body=source).references()
    assert [(each.path, each.line) for each in found] == [
        (("CustomField", "Slack Channel"), 1),
        (("Task", "name"), 2),
        (None, 2),
        (("Task", "name"), 2),
    ]

"""Signing in and out, sessions, passwords."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from tests.cast import Cast
from webapp.accounts.browsers import browser_words
from webapp.accounts.models import User, UserSession
from webapp.accounts.operations import AccountRefused, create_user, update_user
from webapp.accounts.queries import user_by_email
from webapp.audit.models import AuditLine
from webapp.clock import now
from webapp.extensions import db
from webapp.permissions import Role

PASSWORD = "a long enough password"
ClientOf = Callable[[int], FlaskClient]


@pytest.fixture
def mira(app: Flask) -> int:
    user = create_user(name="Mira Shah", email="Mira@Example.com", password=PASSWORD, by=None)
    db.session.commit()
    return user.id


def sign_in(client: FlaskClient, password: str = PASSWORD, **form: str) -> object:
    return client.post("/sign-in", data={"email": "mira@example.com", "password": password, **form})


def test_a_person_signs_in_and_is_sent_where_they_wanted_to_go(app: Flask, mira: int) -> None:
    client = app.test_client()
    wanted = client.get("/profile?tab=keys")
    assert (wanted.status_code, wanted.location) == (303, "/sign-in?next=/profile?tab%3Dkeys")
    answer = sign_in(client, next="/profile?tab=keys")
    assert (answer.status_code, answer.location) == (303, "/profile?tab=keys")
    assert client.get("/profile").status_code == 200


def test_next_never_leads_to_another_site(app: Flask, mira: int) -> None:
    for wanted in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"):
        assert sign_in(app.test_client(), next=wanted).location == "/"


def test_a_wrong_password_and_an_unknown_name_get_the_same_words(app: Flask, mira: int) -> None:
    wrong = sign_in(app.test_client(), password="not the password")
    unknown = app.test_client().post(
        "/sign-in", data={"email": "x@example.com", "password": "not the password"}
    )
    sentence = "This email address and password do not belong together."
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert sentence in wrong.text and sentence in unknown.text
    assert 'value="mira@example.com"' in wrong.text


def test_the_sixth_try_in_a_minute_is_turned_away(app: Flask, mira: int) -> None:
    codes = [sign_in(app.test_client(), password="wrong one").status_code for _ in range(6)]
    assert codes == [422, 422, 422, 422, 422, 429]


def test_who_knows_the_password_is_not_counted_as_one_who_tries(app: Flask, mira: int) -> None:
    codes = [sign_in(app.test_client()).status_code for _ in range(7)]
    assert codes == [303] * 7


def test_a_deactivated_person_cannot_sign_in_and_is_signed_out(app: Flask, cast: Cast, mira: int) -> None:
    client = app.test_client()
    sign_in(client)
    user, ada = db.session.get_one(User, mira), db.session.get_one(User, cast.ada)
    update_user(user, name=user.name, email=user.email, roles=[], active=False, by=ada)
    db.session.commit()
    assert client.get("/profile").status_code == 303
    assert sign_in(app.test_client()).status_code == 422


def test_signing_out_ends_the_session_in_the_database(app: Flask, mira: int) -> None:
    client = app.test_client()
    sign_in(client)
    stolen = client.get_cookie("runsheet").value
    client.post("/sign-out")
    thief = app.test_client()
    thief.set_cookie("runsheet", stolen)
    assert thief.get("/profile").status_code == 303


def test_an_idle_session_ends(app: Flask, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.rune)
    assert client.get("/profile").status_code == 200
    db.session.execute(update(UserSession).values(last_seen_at=now() - timedelta(hours=13)))
    db.session.commit()
    assert client.get("/profile").status_code == 303


def test_the_profile_lists_the_browsers_that_are_signed_in_and_no_idle_one(
    app: Flask, cast: Cast, client_of: ClientOf
) -> None:
    here = client_of(cast.rune)
    client_of(cast.rune)
    assert here.get("/profile").text.count(", last used ") == 2
    mine = db.session.scalar(select(func.min(UserSession.id)).where(UserSession.user_id == cast.rune))
    idle = update(UserSession).where(UserSession.user_id == cast.rune, UserSession.id != mine)
    db.session.execute(idle.values(last_seen_at=now() - timedelta(hours=13)))
    db.session.commit()
    assert here.get("/profile").text.count(", last used ") == 1


def test_changing_the_password_signs_other_browsers_out(app: Flask, mira: int) -> None:
    here, there = app.test_client(), app.test_client()
    sign_in(here)
    sign_in(there)
    new = {"current": PASSWORD, "password": "another long password", "again": "another long password"}
    assert here.post("/profile/password", data=new).status_code == 303
    assert (here.get("/profile").status_code, there.get("/profile").status_code) == (200, 303)


def test_a_fragment_request_of_a_signed_out_person_moves_the_whole_page(app: Flask) -> None:
    answer = app.test_client().get(
        "/settings/users",
        headers={"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:5055/runbooks/7?task=2"},
    )
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/runbooks/7?task%3D2"


def test_a_session_of_someone_else_cannot_be_ended(app: Flask, cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.ines)
    theirs = db.session.scalar(select(UserSession.id).where(UserSession.user_id == cast.ines))
    assert client_of(cast.rune).post(f"/profile/sessions/{theirs}/end").status_code == 404


def test_passwords_are_stored_as_argon2_hashes(mira: int) -> None:
    stored = db.session.get_one(User, mira).password_hash or ""
    assert stored.startswith("$argon2id$") and PASSWORD not in stored


def test_a_short_password_and_a_taken_address_are_refused(app: Flask, mira: int) -> None:
    with pytest.raises(AccountRefused, match="at least 12"):
        create_user(name="X", email="x@example.com", password="short", by=None)
    with pytest.raises(AccountRefused, match="already"):
        create_user(name="X", email="MIRA@example.com", password=PASSWORD, by=None)


def test_the_last_administrator_cannot_be_taken_away(app: Flask, cast: Cast) -> None:
    ada = db.session.get_one(User, cast.ada)
    with pytest.raises(AccountRefused, match="only administrator"):
        update_user(ada, name="Ada", email=ada.email, roles=[], active=True, by=ada)


def test_adding_a_user_is_audited_without_the_password(app: Flask, cast: Cast, client_of: ClientOf) -> None:
    form = {"name": "Tunde", "email": "tunde@example.com", "password": PASSWORD, "roles": ["auditor"]}
    assert client_of(cast.ada).post("/settings/users", data=form).status_code == 303
    tunde = user_by_email("tunde@example.com")
    assert tunde is not None and tunde.global_roles == {Role.AUDITOR}
    line = db.session.scalars(select(AuditLine)).one()
    assert (line.verb, line.actor_name, line.object_name) == ("user.created", "Ada", "Tunde")
    assert line.after == {"name": "Tunde", "email": "tunde@example.com", "active": True, "roles": ["Auditor"]}


def test_a_refused_user_form_keeps_what_was_typed(app: Flask, cast: Cast, client_of: ClientOf) -> None:
    form = {"name": "Tunde Okafor", "email": "not an address", "password": "short"}
    answer = client_of(cast.ada).post("/settings/users", data=form)
    assert answer.status_code == 422
    assert 'value="Tunde Okafor"' in answer.text and 'value="not an address"' in answer.text
    assert "This is not an email address." in answer.text
    assert 'value="short"' not in answer.text


def test_a_form_without_its_token_is_refused(app: Flask, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.rune)
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        plain = client.post("/profile/theme", data={"theme": "dark"})
        htmx = client.post("/profile/theme", data={"theme": "dark"}, headers={"HX-Request": "true"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert (plain.status_code, htmx.status_code, "HX-Refresh" in htmx.headers) == (400, 400, False)
    assert db.session.get_one(User, cast.rune).theme == "auto"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Chrome 140 on Linux",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox 143 on Mac OS X",
        ),
        ("our-own-script", "our-own-script"),
        ("", "Unknown browser"),
    ],
)
def test_a_session_names_its_browser_in_words(header: str, words: str) -> None:
    assert browser_words(header) == words

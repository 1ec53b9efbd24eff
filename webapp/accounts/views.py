"""Signing in and out, the profile, and the administrator's pages about people and roles."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, make_response, request, url_for
from flask_limiter.util import get_remote_address
from flask_login import current_user

from webapp.accounts import operations, passwords, queries, sessions
from webapp.accounts.browsers import browser_words
from webapp.accounts.forms import (
    ChangePasswordForm,
    NewUserForm,
    PasswordResetForm,
    ProfileForm,
    SignInForm,
    UserForm,
)
from webapp.accounts.models import UserSession
from webapp.blueprint import Blueprint
from webapp.extensions import db, limiter
from webapp.navigation import NavEntry
from webapp.page import invalid, page, see_other, told
from webapp.permissions import GLOBAL_ROLES, TABLE, THING_ROLES, WORKSPACE_ROLES, Permission, Role
from webapp.redirects import local_path

blueprint = Blueprint("accounts", __name__)
blueprint.nav = [
    NavEntry("Users", "users", "accounts.users", group="settings:People", order=40),
    NavEntry("Roles", "shield-check", "accounts.roles", group="settings:People", order=41),
]


def _name_and_address() -> str:
    return f"{request.form.get('email', '').strip().lower()} {get_remote_address()}"


def _was_refused(answer: Response) -> bool:
    return answer.status_code == 422


@blueprint.get("/sign-in", permission=Permission.PUBLIC)
def sign_in() -> Any:
    if current_user.is_authenticated:
        return see_other(local_path(request.args.get("next"), "/"))
    return page("accounts/sign_in.html", form=SignInForm(next=request.args.get("next", "")))


@blueprint.post("/sign-in", permission=Permission.PUBLIC)
@limiter.limit("120/minute")  # of any, because tries that come at the same moment are counted when they end
@limiter.limit("30/minute", deduct_when=_was_refused)
@limiter.limit("5/minute", key_func=_name_and_address, deduct_when=_was_refused)
def check_sign_in() -> Any:
    form = SignInForm()
    if not form.validate():
        return invalid("accounts/sign_in.html", form=form)
    user = queries.user_by_email(form.email.data)
    known = passwords.verify(user.password_hash if user else None, form.password.data)
    if user is None or not known or not user.active:
        # The same words whether the name or the password is wrong, so that nobody can try names.
        form.password.errors = ["This email address and password do not belong together."]
        return invalid("accounts/sign_in.html", form=form)
    if passwords.needs_rehash(user.password_hash or ""):
        user.password_hash = passwords.hash_password(form.password.data)
    sessions.start(user)
    db.session.commit()
    answer = make_response(see_other(local_path(form.next.data, "/")))
    answer.set_cookie("theme", user.theme, max_age=31_536_000, samesite="Lax")
    return answer


@blueprint.post("/sign-out", permission=Permission.PUBLIC)
def sign_out() -> Any:
    sessions.end()
    db.session.commit()
    return see_other(url_for("accounts.sign_in"))


@blueprint.get("/profile", permission=Permission.SIGNED_IN)
def profile() -> Any:
    return _profile(ProfileForm(obj=current_user), ChangePasswordForm(formdata=None))


@blueprint.post("/profile", permission=Permission.SIGNED_IN)
def save_profile() -> Any:
    form = ProfileForm()
    if not form.validate():
        return _profile(form, ChangePasswordForm(formdata=None), status=422)
    operations.update_profile(
        current_user, name=form.name.data, time_zone=form.time_zone.data, single_keys=form.single_keys.data
    )
    db.session.commit()
    return told(url_for("accounts.profile"), "Your profile is saved.")


@blueprint.post("/profile/theme", permission=Permission.SIGNED_IN)
def save_theme() -> Any:
    theme = request.form.get("theme", "")
    if theme not in ("auto", "light", "dark"):
        abort(400)
    operations.set_theme(current_user, theme)
    db.session.commit()
    answer = make_response(see_other(local_path(request.form.get("next"), url_for("accounts.profile"))))
    answer.set_cookie("theme", theme, max_age=31_536_000, samesite="Lax")
    return answer


@blueprint.post("/profile/runbook-times", permission=Permission.SIGNED_IN)
def save_runbook_times() -> Any:
    """In which zone runbooks show their times from now on: theirs, or the person's own."""
    zone = request.form.get("zone")
    if zone not in ("runbook", "own"):
        abort(400)
    operations.show_in_own_zone(current_user, zone == "own")
    db.session.commit()
    return see_other(local_path(request.form.get("next"), url_for("accounts.profile")))


@blueprint.post("/profile/password", permission=Permission.SIGNED_IN)
@limiter.limit("10/minute")
def change_password() -> Any:
    form = ChangePasswordForm()
    if form.validate():
        if not passwords.verify(current_user.password_hash, form.current.data):
            form.current.errors = ["This is not your current password."]
        else:
            operations.set_password(
                current_user, form.password.data, by=current_user, keep_session=sessions.current()
            )
            db.session.commit()
            return told(
                url_for("accounts.profile"), "Your password is changed. Your other browsers are signed out."
            )
    return _profile(ProfileForm(formdata=None, obj=current_user), form, status=422)


@blueprint.post("/profile/sessions/<int:session_id>/end", permission=Permission.SIGNED_IN)
def end_session(session_id: int) -> Any:
    row = db.session.get(UserSession, session_id)
    if row is None or row.user_id != current_user.id:
        abort(404)
    operations.end_session(row, by=current_user)
    db.session.commit()
    return told(url_for("accounts.profile"), "That browser is signed out.")


def _profile(form: ProfileForm, password_form: ChangePasswordForm, status: int = 200) -> Any:
    return page(
        "accounts/profile.html",
        status=status,
        form=form,
        password_form=password_form,
        sessions=queries.live_sessions(current_user.id),
        browser_words=browser_words,
        this_session=sessions.current(),
    )


@blueprint.get("/settings/users", permission=Permission.MANAGE_USERS)
def users() -> Any:
    return _users()


@blueprint.get("/settings/users/new", permission=Permission.MANAGE_USERS)
def new_user() -> Any:
    return _users(form=NewUserForm())


@blueprint.post("/settings/users", permission=Permission.MANAGE_USERS)
def add_user() -> Any:
    form = NewUserForm()
    if form.validate():
        try:
            user = operations.create_user(
                name=form.name.data,
                email=form.email.data,
                password=form.password.data,
                roles=[Role(role) for role in form.roles.data],
                by=current_user,
            )
        except operations.AccountRefused as refusal:
            form[refusal.field].errors = [str(refusal)]
        else:
            db.session.commit()
            return told(url_for("accounts.users"), f"{user.name} is added.")
    return _users(form=form, status=422)


@blueprint.get("/settings/users/<int:user_id>", permission=Permission.MANAGE_USERS)
def user(user_id: int) -> Any:
    person = queries.user_for(user_id)
    form = UserForm(obj=person, roles=[role.value for role in person.global_roles])
    return _users(form=form, person=person)


@blueprint.post("/settings/users/<int:user_id>", permission=Permission.MANAGE_USERS)
def save_user(user_id: int) -> Any:
    person = queries.user_for(user_id)
    form = UserForm()
    if form.validate():
        try:
            operations.update_user(
                person,
                name=form.name.data,
                email=form.email.data,
                roles=[Role(role) for role in form.roles.data],
                active=form.active.data,
                by=current_user,
            )
        except operations.AccountRefused as refusal:
            form[refusal.field].errors = [str(refusal)]
        else:
            db.session.commit()
            return told(url_for("accounts.users"), f"{person.name} is saved.")
    return _users(form=form, person=person, status=422)


@blueprint.post("/settings/users/<int:user_id>/password", permission=Permission.MANAGE_USERS)
def reset_password(user_id: int) -> Any:
    person = queries.user_for(user_id)
    form = PasswordResetForm()
    if not form.validate():
        edit = UserForm(formdata=None, obj=person, roles=[role.value for role in person.global_roles])
        return _users(form=edit, person=person, password_form=form, status=422)
    operations.set_password(person, form.password.data, by=current_user)
    db.session.commit()
    return told(
        url_for("accounts.user", user_id=user_id),
        f"{person.name} has a new password and is signed out everywhere.",
    )


def _users(
    form: UserForm | None = None,
    person: Any = None,
    password_form: PasswordResetForm | None = None,
    status: int = 200,
) -> Any:
    text = request.args.get("q", "")
    return page(
        "accounts/users.html",
        status=status,
        users=queries.all_users(text),
        q=text,
        form=form,
        person=person,
        password_form=password_form or PasswordResetForm(formdata=None),
    )


@blueprint.get("/settings/roles", permission=Permission.SIGNED_IN)
def roles() -> Any:
    groups = [("Global", GLOBAL_ROLES), ("In a workspace", WORKSPACE_ROLES), ("On one thing", THING_ROLES)]
    return page(
        "accounts/roles.html",
        groups=[
            (heading, held, [each for each in Permission if any(each in TABLE[role] for role in held)])
            for heading, held in groups
        ],
        table=TABLE,
    )

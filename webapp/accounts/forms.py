"""Forms about people."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, Email, EqualTo, Length

from webapp import zones
from webapp.accounts.passwords import MINIMUM_LENGTH
from webapp.forms import BaseForm, CheckboxesField
from webapp.permissions import GLOBAL_ROLES

_ADDRESS = [
    DataRequired("Enter an email address."),
    Length(max=254),
    Email("This is not an email address.", check_deliverability=False),
]
_LONG_ENOUGH = Length(min=MINIMUM_LENGTH, message=f"Use at least {MINIMUM_LENGTH} characters.")


class SignInForm(BaseForm):
    email = EmailField(
        "Email", [DataRequired("Enter your email address.")], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        "Password", [DataRequired("Enter your password.")], render_kw={"autocomplete": "current-password"}
    )
    next = HiddenField()


class UserForm(BaseForm):
    """A person, as an administrator sees them. The password is asked for only when a person is added."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)])
    email = EmailField("Email", _ADDRESS)
    roles = CheckboxesField("Global roles", choices={role.value: role.label for role in GLOBAL_ROLES})
    active = BooleanField("May sign in", default=True)


class NewUserForm(UserForm):
    password = PasswordField(
        "Password",
        [DataRequired("Enter a first password."), _LONG_ENOUGH],
        description="Tell it to them by a safe way; they can change it in their profile.",
        render_kw={"autocomplete": "new-password"},
    )


class PasswordResetForm(BaseForm):
    password = PasswordField(
        "New password",
        [DataRequired("Enter a password."), _LONG_ENOUGH],
        render_kw={"autocomplete": "new-password"},
    )


class ProfileForm(BaseForm):
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)])
    time_zone = SelectField("Time zone")
    single_keys = BooleanField(
        "Keyboard shortcuts with single keys", description="j, k, s, f and others on a runbook's page."
    )

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.time_zone.choices = {
            "": "As this browser’s",
            **{name: name.replace("_", " ") for name in zones.names()},
        }


class ChangePasswordForm(BaseForm):
    current = PasswordField(
        "Current password",
        [DataRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        "New password",
        [DataRequired("Enter a password."), _LONG_ENOUGH],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "New password again",
        [EqualTo("password", "This is not the same as above.")],
        render_kw={"autocomplete": "new-password"},
    )

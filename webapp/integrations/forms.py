"""Forms about connections and actions. The authorization's own fields are the form of its kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from webapp.forms import BaseForm, CheckboxesField, SecretField, WholeNumberField
from webapp.integrations import offered
from webapp.integrations.authorizations import AUTHORIZATIONS, AuthorizationKind
from webapp.integrations.authorizations.base import latin1_problem
from webapp.integrations.models import Action, Connection
from webapp.integrations.predefined import PREDEFINED
from webapp.integrations.rehearsals import RehearsalRule
from webapp.integrations.settings import (
    GENERAL_FIELDS,
    REQUEST_FIELDS,
    Authorization,
    General,
    RequestSettings,
)
from webapp.workspaces.models import Workspace

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
LONGEST_TEMPLATE = 64_000
BUILD_YOUR_OWN = ""
GLOBAL, CHOSEN = "global", "workspaces"


def https_image(form: FlaskForm, field: Field) -> None:
    """The viewer's browser loads the image, so it must not be a script or an unencrypted address."""
    if not field.data:
        return
    parts = urlsplit(field.data)
    if parts.scheme != "https" or not parts.netloc or "@" in parts.netloc:
        raise ValidationError("Enter an address that starts with https://, or leave it blank.")


def _image_field(tab: str = "") -> StringField:
    return StringField(
        "Image URL",
        [Length(max=1000, message="The address is longer than 1,000 characters."), https_image],
        description="Leave blank to use the default image. The image’s server sees who looks.",
        render_kw={"data-tab": tab, "placeholder": "https://…"} if tab else {"placeholder": "https://…"},
    )


class ConnectionForm(BaseForm):
    """The edit panel. `edition` notices that someone else saved meanwhile."""

    key = "connection"
    secret_fields = ("sandbox_token",)

    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=120, message="The name is longer than 120 characters.")],
    )
    image_url = _image_field()
    rehearsal_rule = RadioField(
        "In a rehearsal",
        choices={
            RehearsalRule.BY_ACTION: "Each action decides",
            RehearsalRule.NOT_CALLED: "Don’t call",
            RehearsalRule.SANDBOX: "Call the sandbox address",
            RehearsalRule.REAL: "Call for real",
        },
        default=RehearsalRule.BY_ACTION,
    )
    sandbox_address = StringField(
        "Sandbox address",
        [Length(max=500, message="The address is longer than 500 characters.")],
        description="Called in rehearsals instead of the actions’ own scheme, host and port; path, headers and payload "
        "stay.",
        render_kw={"placeholder": "https://sandbox.example.com"},
    )
    sandbox_token = SecretField(
        "Sandbox token",
        description="Sent as a Bearer token. What the actions are authorized with never goes to the sandbox. Another "
        "address drops the saved token.",
    )
    edition = HiddenField()

    def validate_sandbox_token(self, field: Field) -> None:
        problem = latin1_problem(field.data or "")
        if problem:
            raise ValidationError(problem)


class _WorkspacesMixin:
    """Several workspaces out of those that were offered."""

    workspaces = CheckboxesField("Workspaces", coerce=int, render_kw={"data-tab": "general"})

    def offer_workspaces(self, workspaces: Iterable[Workspace]) -> None:
        """Fill in the workspaces to choose from."""
        self.offered_workspaces = {each.id: each for each in workspaces}
        self.workspaces.choices = {each.id: each.name for each in self.offered_workspaces.values()}

    @property
    def chosen_workspaces(self) -> list[Workspace]:
        return [self.offered_workspaces[each] for each in self.workspaces.data]


class _VisibilityMixin(_WorkspacesMixin):
    """Visibility: all workspaces, or some. Chosen once, at creation."""

    visibility = RadioField(
        "Visibility",
        choices={GLOBAL: "Global, all workspaces", CHOSEN: "Only these workspaces"},
        default=GLOBAL,
        description="Cannot be changed after the action is created.",
        render_kw={"data-tab": "general"},
    )

    def validate_workspaces(self, field: Field) -> None:
        if self.visibility.data == CHOSEN and not field.data:
            raise ValidationError("Choose at least one workspace, or all workspaces.")

    @property
    def is_global(self) -> bool:
        return bool(self.visibility.data == GLOBAL)

    @property
    def chosen_workspaces(self) -> list[Workspace]:
        return [] if self.is_global else super().chosen_workspaces


class NewConnectionForm(BaseForm):
    """New Integration Connection, as far as both types ask the same."""

    type = RadioField(
        "Type of integration",
        choices={"custom": "Custom integration", "predefined": "Predefined integration"},
        default="custom",
    )


class CustomConnectionForm(NewConnectionForm):
    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=120, message="The name is longer than 120 characters.")],
        render_kw={"placeholder": "Slack"},
    )
    image_url = _image_field()


class PredefinedConnectionForm(_VisibilityMixin, NewConnectionForm):
    """The integration and who sees its first action. What else is asked is the integration's own form."""

    integration = SelectField("Integration")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.integration.choices = PREDEFINED.choices()


class GeneralForm(BaseForm):
    """The General tab."""

    name = StringField(
        "Name",
        [DataRequired("Enter a name."), Length(max=120, message="The name is longer than 120 characters.")],
        render_kw={"data-tab": "general"},
    )
    image_url = _image_field("general")
    trigger = SelectField("Trigger", render_kw={"data-tab": "general"})
    auto_start = BooleanField(
        "Auto start", description="The task starts by itself as soon as its predecessors are done."
    )
    fixed_start = BooleanField("Fixed start time", description="Planners can pin the task to a time.")
    cancelable = BooleanField(
        "Cancelable", description="Whoever can run the task can cancel the call before it is sent."
    )
    notify_on_cancel = BooleanField(
        "Notify on cancel", description="A comment on the task tells its people who cancelled a call."
    )
    finish_on_success = BooleanField(
        "Finish task on success", description="The task finishes by itself when the call succeeded."
    )
    execute_in_rehearsal = BooleanField(
        "Execute in rehearsal", description="Also send real requests during rehearsals."
    )
    ok_false_fails = BooleanField(
        'Count "ok": false as failure',
        description='Slack, for one, answers 200 with "ok": false where it refuses.',
    )
    safe_to_repeat = BooleanField(
        "Safe to repeat",
        description="A request that may have arrived is sent again by itself. Off where twice does harm.",
    )
    timeout_s = WholeNumberField(
        "Timeout",
        [
            InputRequired("Enter a number of seconds from 1 to 120."),
            NumberRange(1, 120, "Enter a number of seconds from 1 to 120."),
        ],
        default=30,
        render_kw={"data-tab": "general"},
    )

    FLAGS = (
        "cancelable",
        "finish_on_success",
        "auto_start",
        "fixed_start",
        "notify_on_cancel",
        "execute_in_rehearsal",
        "ok_false_fails",
        "safe_to_repeat",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.trigger.choices = offered.triggers.choices()
        if self.trigger.data and self.trigger.data not in offered.triggers and not self.is_submitted():
            self.trigger.choices[self.trigger.data] = offered.triggers.label(self.trigger.data)

    @property
    def flags(self) -> list[Field]:
        return [self[name] for name in self.FLAGS]

    def general(self) -> General:
        """The tab as a value."""
        values: dict[str, Any] = {name: self[name].data for name in GENERAL_FIELDS}
        values["name"], values["image_url"] = values["name"] or "", values["image_url"] or ""
        return General(**values)


class NewActionForm(_VisibilityMixin, GeneralForm):
    """The new action dialog: what to start from, and General."""

    template = SelectField("Action", choices={BUILD_YOUR_OWN: "Build a custom integration"})

    def offer_templates(self, connection: Connection) -> None:
        """Add the action templates of a predefined connection."""
        kind = PREDEFINED.get(connection.predefined)
        if kind is not None:
            self.template.choices |= {each.key: each.label for each in kind.actions}


class ActionForm(GeneralForm):
    """The editor: General and Request. `authorization` only says which kind's own form belongs to it.

    `sign_ins_may_end` holds the target that the person was warned about (operations.save_action).
    """

    # Its id must not be "authorization": that is the tab's hash, and the browser would scroll to the field.
    authorization = SelectField(
        "Authorization Type", id="authorization_type", render_kw={"data-tab": "authorization"}
    )
    method = SelectField(
        "Request type",
        choices={each: each for each in METHODS},
        default="POST",
        render_kw={"data-tab": "request"},
    )
    url = StringField(
        "URL",
        [Length(max=4000, message="The URL is longer than 4,000 characters.")],
        render_kw={
            "data-tab": "request",
            "placeholder": "https://slack.com/api/chat.postMessage",
            "spellcheck": "false",
        },
    )
    headers = TextAreaField(
        "Request headers",
        [Length(max=LONGEST_TEMPLATE)],
        description='A JSON object, as in {"Content-Type":"application/json"}.',
        render_kw={"data-tab": "request"},
    )
    parameters = TextAreaField(
        "Request parameters",
        [Length(max=LONGEST_TEMPLATE)],
        description="A JSON object; its entries go into the URL after the question mark.",
        render_kw={"data-tab": "request"},
    )
    body = TextAreaField(
        "Outbound payload", [Length(max=LONGEST_TEMPLATE)], render_kw={"data-tab": "request"}
    )
    mode = SelectField("Execution mode", render_kw={"data-tab": "request"})
    edition = HiddenField()
    sign_ins_may_end = HiddenField()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.authorization.choices = AUTHORIZATIONS.choices()
        self.mode.choices = offered.modes.choices()

    def request_settings(self) -> RequestSettings:
        """The Request tab as a value."""
        return RequestSettings(**{name: self[name].data or "" for name in REQUEST_FIELDS})


class DuplicateForm(_WorkspacesMixin, BaseForm):
    """Duplicate to…"""


# Settings that most people never touch: folded away until one of them is wrong.
COLLAPSED = frozenset({"extra_parameters", "token_choice", "token_path", "client_authentication", "pkce"})
HINTS = {
    "client_id": "The ID that the other system gave the app. In Slack: Basic Information, not the App ID.",
    "provider_host": "Where people allow Runsheet and where tokens come from.",
}


def settings_form(kind: AuthorizationKind, *, action: Action, posted: bool = False) -> FlaskForm:
    """A kind's own form, with names that start with "authorization-".

    Filled from what was posted, or from the action's settings where it has that kind. The page's form carries
    the CSRF token for both. Each field gets `collapsed`: whether it is one of those that are folded away.
    """
    stored = action.authorization_settings if action.authorization == kind.key else {}
    options: dict[str, Any] = {"prefix": "authorization-", "meta": {"csrf": False}, "data": stored}
    if not posted:
        options["formdata"] = None
    form: FlaskForm = kind.form(**options)
    for field in form:
        field.collapsed = field.short_name in COLLAPSED
        field.render_kw = {**(field.render_kw or {}), "data-tab": "authorization"}
        field.description = field.description or HINTS.get(field.short_name, "")
    return form


def authorization_of(kind: AuthorizationKind, form: FlaskForm) -> Authorization:
    """The Authorization tab as a value: the kind's settings, and the secrets that were typed."""
    answers = {name: "" if value is None else value for name, value in form.data.items()}
    secrets = {name: answers.pop(name) for name in kind.secret_fields}
    return Authorization(kind.key, answers, {name: value for name, value in secrets.items() if value})


def show_errors(field: Field, sentences: Iterable[str]) -> None:
    """Put sentences on a field beside those of its own validators."""
    field.errors = [*field.errors, *sentences]

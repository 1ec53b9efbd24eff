"""What the error codes of OAuth providers mean, in plain sentences. Pure data.

RFC 6749 §4.1.2.1 and §5.2; Slack's from https://docs.slack.dev/reference/methods/oauth.v2.access.
"""

from __future__ import annotations

_SECRET = "The Client Secret is not right. Copy it again from the app's settings, save, and press Authenticate again."
_ID = "The provider does not know this Client ID. For Slack it is two numbers with a point, not the App ID."
_CODE = "The sign-in took too long or was used already. Press Authenticate again."
_REDIRECT = (
    "The Redirect URI is not registered at the provider. Add exactly the one shown in the Authorization tab."
)
_AGAIN = "The provider no longer accepts the stored sign-in. Authenticate again."

SENTENCES = {
    "access_denied": "The request was declined at the provider. Press Authenticate again and choose Allow.",
    "bad_client_secret": _SECRET,
    "invalid_client": "The provider refuses the Client ID or the Client Secret. Check both, save, and authenticate again.",
    "invalid_client_id": _ID,
    "invalid_code": _CODE,
    "code_already_used": _CODE,
    "invalid_grant": _CODE,
    "bad_redirect_uri": _REDIRECT,
    "redirect_uri_mismatch": _REDIRECT,
    "oauth_authorization_url_mismatch": (
        "The two endpoints are of different Slack versions. Use /oauth/authorize with /api/oauth.access, "
        "or /oauth/v2/authorize with /api/oauth.v2.access."
    ),
    "pkce_not_allowed": "The Slack app does not allow PKCE. Set PKCE to Off, or enable it in the app.",
    "invalid_code_verifier": "The PKCE check failed. Press Authenticate again.",
    "invalid_scope": "The provider does not know one of the scopes. Check the Scopes field.",
    "invalid_scope_requested": "The provider does not know one of the scopes. Check the Scopes field.",
    "no_scopes": "No scopes were asked for. Fill in Scopes, or user_scope among the additional parameters.",
    "unauthorized_client": "The provider does not allow this client the authorization code flow.",
    "invalid_refresh_token": _AGAIN,
    "token_expired": _AGAIN,
    "token_revoked": _AGAIN,
    "no_access_token": "The provider answered without an access token. Check Scopes and the choice Token to use.",
    "no_user_token": (
        "The provider gave a token for the app’s bot and none for the person. Ask for the person’s permissions in "
        'Additional authorize parameters, as in {"user_scope": "chat:write"}, or choose Bot token as Token to use.'
    ),
    "no_token_at_path": (
        "The provider’s answer has no token at the path that is set. Check Path of the token in the action’s "
        "Authorization."
    ),
    "not_json": "The token endpoint did not answer as OAuth demands. Check the Token Endpoint.",
    "server_error": "The provider had a problem. Try again in a moment.",
    "temporarily_unavailable": "The provider is busy. Try again in a moment.",
    "internal_error": "The provider had a problem. Try again in a moment.",
    "ratelimited": "The provider asks to wait. Try again in a minute.",
    "team_not_found": "The provider does not know that team.",
    "user_email_unverified": "The person's email address is not confirmed at Slack. Confirm it there first.",
    "cannot_install_an_org_installed_app": "The app is installed for the whole organisation. Ask a Slack admin.",
}

# Trouble of the provider's own: what is asked says nothing about the sign-in, and may work later.
PASSING = frozenset(
    {
        "token_endpoint_unreachable",
        "not_json",
        "server_error",
        "temporarily_unavailable",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "ratelimited",
    }
)


def sentence_for(code: str | None, description: str | None = None) -> str:
    """The sentence for a provider's error code; unknown codes are quoted, shortened, with what it said."""
    if code in SENTENCES:
        return SENTENCES[code]
    said = f": {description[:200]}" if description else ""
    return f"The provider answered “{(code or 'unknown_error')[:100]}”{said}."

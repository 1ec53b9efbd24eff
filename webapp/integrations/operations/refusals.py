"""Why an operation on integrations did not happen."""

from __future__ import annotations

from webapp.integrations.settings import Move


class IntegrationRefused(Exception):
    """The change cannot be made; the text says why and what to do instead. `field` names the form's field."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class CredentialsWouldMove(Exception):
    """Stored credentials would be shown to someone they were not saved for.

    `missing` are the secrets that must be typed again, `sign_ins` how many granted tokens would be dropped.
    Nothing is changed. Once each missing secret is typed and the loss of tokens accepted, it goes through.
    """

    def __init__(self, reasons: list[Move], missing: list[str], sign_ins: int) -> None:
        self.reasons, self.missing, self.sign_ins = reasons, missing, sign_ins
        super().__init__(", and ".join(reason.sentence for reason in reasons))

from typing import Self
from uuid import UUID

from msgspec import Struct

from application.identity.joining.claim_setup import Claimed, ClaimSetupCommand
from application.identity.joining.confirm_password_reset import ConfirmPasswordResetCommand


class SetupView(Struct, kw_only=True):
    needs_setup: bool


class ClaimSetupBody(Struct, kw_only=True, forbid_unknown_fields=True):
    token: str
    email: str
    password: str
    team_name: str
    display_name: str

    def to_command(self) -> ClaimSetupCommand:
        return ClaimSetupCommand(
            token=self.token,
            email=self.email,
            password=self.password,
            team_name=self.team_name,
            display_name=self.display_name,
        )


class ClaimedView(Struct, kw_only=True):
    user_id: UUID
    email: str
    display_name: str
    team_id: UUID
    team_name: str

    @classmethod
    def of(cls, claimed: Claimed) -> Self:
        return cls(
            user_id=claimed.user.id,
            email=claimed.user.email or "",
            display_name=claimed.user.display_name,
            team_id=claimed.team.id,
            team_name=claimed.team.name,
        )


class EmailBody(Struct, kw_only=True, forbid_unknown_fields=True):
    email: str


class ConfirmPasswordResetBody(Struct, kw_only=True, forbid_unknown_fields=True):
    token: str
    password: str

    def to_command(self) -> ConfirmPasswordResetCommand:
        return ConfirmPasswordResetCommand(token=self.token, password=self.password)

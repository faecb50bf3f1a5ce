from dataclasses import dataclass

from application.identity.external.admit_person import AdmitPerson
from application.identity.external.ports import (
    ExternalIdentity,
    ExternalPeople,
    IdentityTokens,
    KnownPerson,
    PersonActivity,
)
from application.identity.session_ports import ExternalIdentities
from application.operations.ports import RuntimeSettings
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.errors import CredentialsInvalidError, NoTeamError, PersonUnknownError
from domain.identity.permissions import Role, permissions_of
from domain.operations.audit import ActorKind
from domain.operations.runtime_settings import OIDC_CREATE_USERS, OIDC_ROLE


@dataclass(frozen=True, slots=True, kw_only=True)
class VouchedPeople(ExternalIdentities):
    """People with a token of the identity provider. They act in the oldest of their teams.

    Whoever comes for the first time gets an account if the settings say so. Whoever was deactivated
    or removed here stays out, whatever the identity provider says.
    """

    tokens: IdentityTokens
    people: ExternalPeople
    settings: RuntimeSettings
    admit: AdmitPerson
    activity: PersonActivity
    clock: Clock

    async def actor_of(self, token: str) -> Actor:
        identity = await self.tokens.verify(token)
        person = await self.people.find(identity.issuer, identity.subject)
        if person is None:
            person = await self._newcomer(identity)
        if not person.is_active:
            raise CredentialsInvalidError
        if person.team_id is None or person.role is None:
            raise NoTeamError
        self.activity.touch(person.user_id, self.clock.now())
        return Actor(
            team_id=person.team_id,
            user_id=person.user_id,
            permissions=permissions_of(person.role, is_operator=person.is_operator),
            allowances=person.allowances,
            acting_as=ActorKind.USER,
        )

    async def _newcomer(self, identity: ExternalIdentity) -> KnownPerson:
        if not self.settings.get(OIDC_CREATE_USERS):
            raise PersonUnknownError
        return await self.admit(identity, Role(self.settings.get(OIDC_ROLE)))

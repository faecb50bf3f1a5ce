"""The use cases of those who come, on fakes."""

from application.identity.joining.accept_invitation import AcceptInvitation
from application.identity.joining.check_setup import CheckSetup
from application.identity.joining.claim_setup import ClaimSetup
from application.identity.joining.confirm_password_reset import ConfirmPasswordReset
from application.identity.joining.inspect_invitation import InspectInvitation
from application.identity.joining.invite_member import InviteMember
from application.identity.joining.links import Links
from application.identity.joining.list_invitations import ListInvitations
from application.identity.joining.offer_setup import OfferSetup
from application.identity.joining.postbox import Postbox
from application.identity.joining.prove_identity import ProveIdentity
from application.identity.joining.register import Register
from application.identity.joining.request_password_reset import RequestPasswordReset
from application.identity.joining.resend_invitation import ResendInvitation
from application.identity.joining.revoke_invitation import RevokeInvitation
from application.identity.joining.send_invitation import SendInvitation
from application.identity.joining.send_password_reset import SendPasswordReset
from application.identity.joining.send_registration import SendRegistration, Stamp
from application.shared.auditing import Auditor
from domain.identity.membership import Membership
from domain.identity.user import User
from tests.builders import a_membership, a_team, a_user
from tests.fakes.clock import FrozenClock
from tests.fakes.errands import WaitingErrands
from tests.fakes.identity_state import IdentityState, InMemoryIdentity
from tests.fakes.ids import SequentialIds
from tests.fakes.joining import InMemoryJoiningUnitOfWork
from tests.fakes.mail import RecordingMailer
from tests.fakes.passwords import some_passwords
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fakes.secrets import SequentialSecrets
from tests.fakes.sessions import InMemoryAttempts

URL = "https://stoa.test"


class Porch:
    """A team with the nameless owner that the first start made. Each use case has a unit of work
    of its own, as each request has."""

    def __init__(self) -> None:
        self.database = InMemoryIdentity()
        self.clock = FrozenClock()
        self.ids = SequentialIds()
        self.secrets = SequentialSecrets()
        self.mailer = RecordingMailer()
        self.errands = WaitingErrands()
        self.settings = InMemoryRuntimeSettings()
        self.attempts = InMemoryAttempts(self.clock)
        self.passwords = some_passwords()
        self.auditor = Auditor(clock=self.clock, ids=self.ids)
        team = a_team()
        self.state.teams[team.id] = team
        self.has(a_user(), a_membership())

    @property
    def state(self) -> IdentityState:
        return self.database.committed

    def has(self, user: User, membership: Membership | None = None) -> User:
        self.state.users[user.id] = user
        if membership is not None:
            self.state.memberships[membership.team_id, membership.user_id] = membership
        return user

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.state.audit]

    def token_in(self, number: int = -1) -> str:
        """The token in one of the mails that were sent."""
        return self.mailer.sent[number].text.partition("#token=")[2].split()[0]

    @property
    def uow(self) -> InMemoryJoiningUnitOfWork:
        return InMemoryJoiningUnitOfWork(self.database)

    @property
    def postbox(self) -> Postbox:
        return Postbox(mailer=self.mailer, links=Links(URL))

    @property
    def offer_setup(self) -> OfferSetup:
        return OfferSetup(uow=self.uow, clock=self.clock, ids=self.ids, secrets=self.secrets)

    @property
    def check_setup(self) -> CheckSetup:
        return CheckSetup(uow=self.uow)

    @property
    def claim_setup(self) -> ClaimSetup:
        return ClaimSetup(
            uow=self.uow, passwords=self.passwords, attempts=self.attempts, auditor=self.auditor
        )

    @property
    def request_reset(self) -> RequestPasswordReset:
        send = SendPasswordReset(
            uow=self.uow,
            postbox=self.postbox,
            attempts=self.attempts,
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
        )
        return RequestPasswordReset(attempts=self.attempts, errands=self.errands, send_reset=send)

    @property
    def confirm_reset(self) -> ConfirmPasswordReset:
        return ConfirmPasswordReset(
            uow=self.uow,
            passwords=self.passwords,
            attempts=self.attempts,
            clock=self.clock,
            auditor=self.auditor,
        )

    @property
    def send_invitation(self) -> SendInvitation:
        return SendInvitation(postbox=self.postbox, errands=self.errands)

    @property
    def invite(self) -> InviteMember:
        return InviteMember(
            uow=self.uow,
            send=self.send_invitation,
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
            auditor=self.auditor,
        )

    @property
    def list(self) -> ListInvitations:
        return ListInvitations(uow=self.uow)

    @property
    def resend(self) -> ResendInvitation:
        return ResendInvitation(
            uow=self.uow,
            send=self.send_invitation,
            clock=self.clock,
            secrets=self.secrets,
            auditor=self.auditor,
        )

    @property
    def revoke(self) -> RevokeInvitation:
        return RevokeInvitation(uow=self.uow, clock=self.clock, auditor=self.auditor)

    @property
    def inspect(self) -> InspectInvitation:
        return InspectInvitation(uow=self.uow, attempts=self.attempts, clock=self.clock)

    @property
    def accept(self) -> AcceptInvitation:
        return AcceptInvitation(
            uow=self.uow,
            prove=ProveIdentity(passwords=self.passwords, attempts=self.attempts),
            passwords=self.passwords,
            clock=self.clock,
            ids=self.ids,
            auditor=self.auditor,
        )

    @property
    def register(self) -> Register:
        send = SendRegistration(
            uow=self.uow,
            postbox=self.postbox,
            attempts=self.attempts,
            auditor=self.auditor,
            stamp=Stamp(clock=self.clock, ids=self.ids, secrets=self.secrets),
        )
        return Register(
            settings=self.settings,
            attempts=self.attempts,
            errands=self.errands,
            send_registration=send,
        )

from dishka import Provider, Scope, provide

from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.identity.joining.accept_invitation import AcceptInvitation
from application.identity.joining.check_setup import CheckSetup
from application.identity.joining.claim_setup import ClaimSetup
from application.identity.joining.confirm_password_reset import ConfirmPasswordReset
from application.identity.joining.inspect_invitation import InspectInvitation
from application.identity.joining.invite_member import InviteMember
from application.identity.joining.list_invitations import ListInvitations
from application.identity.joining.offer_setup import OfferSetup
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.postbox import Postbox
from application.identity.joining.prove_identity import ProveIdentity
from application.identity.joining.register import Register
from application.identity.joining.request_password_reset import RequestPasswordReset
from application.identity.joining.resend_invitation import ResendInvitation
from application.identity.joining.revoke_invitation import RevokeInvitation
from application.identity.joining.send_invitation import SendInvitation
from application.identity.joining.send_password_reset import SendPasswordReset
from application.identity.joining.send_registration import SendRegistration, Stamp
from entrypoints.instrumentation import instrumented

JOINING = (
    OfferSetup,
    CheckSetup,
    ClaimSetup,
    RequestPasswordReset,
    ConfirmPasswordReset,
    InviteMember,
    ListInvitations,
    ResendInvitation,
    RevokeInvitation,
    InspectInvitation,
    AcceptInvitation,
    Register,
)


class JoiningProvider(Provider):
    """How people come to a server, and back to their accounts."""

    scope = Scope.REQUEST

    def __init__(self) -> None:
        super().__init__()
        for use_case in JOINING:
            self.provide(instrumented(use_case), provides=use_case)

    unit_of_work = provide(PostgresUnitOfWork, provides=JoiningUnitOfWork)
    postbox = provide(Postbox, scope=Scope.APP)
    stamp = provide(Stamp, scope=Scope.APP)
    prove_identity = provide(ProveIdentity)
    send_invitation = provide(SendInvitation)
    # These go on after the request that they were made for, each with its own unit of work.
    send_password_reset = provide(SendPasswordReset)
    send_registration = provide(SendRegistration)

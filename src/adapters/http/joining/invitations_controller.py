from dishka import FromDishka
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK

from adapters.http.guards import of_this_server
from adapters.http.joining.invitation_schemas import (
    AcceptInvitationBody,
    InspectedInvitationView,
    InvitationPage,
    InviteMemberBody,
    JoinedView,
    SentInvitationView,
    TokenBody,
)
from adapters.http.joining.visitor import provide_visitor, recognised
from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from application.identity.joining.accept_invitation import AcceptInvitation
from application.identity.joining.inspect_invitation import InspectInvitation
from application.identity.joining.invite_member import InviteMember
from application.identity.joining.list_invitations import ListInvitations, ListInvitationsQuery
from application.identity.joining.resend_invitation import (
    ResendInvitation,
    ResendInvitationCommand,
)
from application.identity.joining.revoke_invitation import (
    RevokeInvitation,
    RevokeInvitationCommand,
)
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from application.shared.ports import Clock
from domain.identity.joining.errors import InvitationNotFoundError
from domain.shared.ids import InvitationId


class InvitationsController(Controller):
    """What those do who invite."""

    path = "/invitations"
    tags = ("identity",)

    @post(operation_id="invite_member", summary="Invite somebody to the team")
    async def invite_member(
        self,
        data: JSONBody[InviteMemberBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[InviteMember],
        clock: FromDishka[Clock],
    ) -> SentInvitationView:
        """Sends an invitation that lives for seven days, with a role that may do no more than the
        inviter. One that is open for the address is replaced. Where the server sends no mail, the
        answer has the `link` to hand over, this once."""
        return SentInvitationView.of_sent(await use_case(data.to_command(actor)), clock.now())

    @get(operation_id="list_invitations", summary="List the invitations")
    async def list_invitations(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListInvitations],
        clock: FromDishka[Clock],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> InvitationPage:
        """Lists the team's invitations, newest first, closed ones included."""
        query = ListInvitationsQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return InvitationPage.of(await use_case(query), clock.now())

    @post(
        "/{invitation_id:str}/resend",
        operation_id="resend_invitation",
        summary="Send an invitation again",
        status_code=HTTP_200_OK,
    )
    async def resend_invitation(
        self,
        invitation_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ResendInvitation],
        clock: FromDishka[Clock],
    ) -> SentInvitationView:
        """Sends an open or expired invitation with a new link, which lives for seven days; the
        earlier link is worth nothing from then on."""
        command = ResendInvitationCommand(actor=actor, invitation_id=_invitation_id(invitation_id))
        return SentInvitationView.of_sent(await use_case(command), clock.now())

    @delete(
        "/{invitation_id:str}",
        operation_id="revoke_invitation",
        summary="Take an invitation back",
    )
    async def revoke_invitation(
        self,
        invitation_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RevokeInvitation],
    ) -> None:
        """Makes the link of an invitation worthless."""
        command = RevokeInvitationCommand(actor=actor, invitation_id=_invitation_id(invitation_id))
        await use_case(command)


class InvitedController(Controller):
    """What those do who are invited: the token is what they have to show."""

    path = "/invitations"
    tags = ("identity",)
    guards = (of_this_server,)

    @post(
        "/inspect",
        operation_id="inspect_invitation",
        summary="See what an invitation is to",
        status_code=HTTP_200_OK,
    )
    async def inspect_invitation(
        self, data: JSONBody[TokenBody], use_case: FromDishka[InspectInvitation]
    ) -> InspectedInvitationView:
        """Shows the team, the role and the address of an invitation, and whether there is an
        account with that address, to whoever has the token."""
        return InspectedInvitationView.of(await use_case(data.to_query()))

    @post(
        "/accept",
        operation_id="accept_invitation",
        summary="Accept an invitation",
        guards=[recognised],
        dependencies={"visitor": Provide(provide_visitor)},
    )
    async def accept_invitation(
        self,
        data: JSONBody[AcceptInvitationBody],
        visitor: NamedDependency[Actor | None],
        use_case: FromDishka[AcceptInvitation],
    ) -> JoinedView:
        """Joins the team. Who is new gets an account with the `password` and the `display_name`;
        who has an account gives its `password`, or a session of it."""
        return JoinedView.of(await use_case(data.to_command(visitor)))


def _invitation_id(text: str) -> InvitationId:
    return InvitationId(parse_id(text, InvitationNotFoundError))

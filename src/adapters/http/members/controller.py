from typing import Annotated

from dishka import FromDishka
from litestar import Controller, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from adapters.http.members.schemas import ChangeRoleBody, MemberPage, MemberView
from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from application.identity.people.change_role import ChangeRole
from application.identity.people.list_members import ListMembers, ListMembersQuery
from application.identity.people.remove_member import RemoveMember, RemoveMemberCommand
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.errors import MemberNotFoundError
from domain.shared.ids import UserId

KeepKeysParameter = Annotated[
    bool,
    QueryParameter(description="Let the member's API keys go on as the team's.", required=False),
]


class MembersController(Controller):
    path = "/members"
    tags = ("identity",)

    @get(operation_id="list_members", summary="List the members of the team")
    async def list_members(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListMembers],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> MemberPage:
        """Lists who is in the team and as what, oldest accounts first."""
        query = ListMembersQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return MemberPage.of(await use_case(query))

    @patch("/{user_id:str}", operation_id="change_role", summary="Change the role of a member")
    async def change_role(
        self,
        user_id: IdParameter,
        data: JSONBody[ChangeRoleBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[ChangeRole],
    ) -> MemberView:
        """Gives a member another role, at once and on every node. Nobody gives a role that may do
        more than he may himself, only owners change owners, and the last owner stays one. The
        member's API keys lose the scopes that the role does not have, unless `keep_keys`."""
        return MemberView.of(await use_case(data.to_command(actor, _user_id(user_id))))

    @delete("/{user_id:str}", operation_id="remove_member", summary="Remove a member, or leave")
    async def remove_member(
        self,
        user_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RemoveMember],
        keep_keys: KeepKeysParameter = False,
    ) -> None:
        """Takes somebody out of the team, or lets the caller leave it. The member's API keys are
        revoked unless `keep_keys`; the account stays. Only owners take out owners, and the last
        owner stays."""
        await use_case(
            RemoveMemberCommand(actor=actor, user_id=_user_id(user_id), keep_keys=keep_keys)
        )


def _user_id(text: str) -> UserId:
    return UserId(parse_id(text, MemberNotFoundError))

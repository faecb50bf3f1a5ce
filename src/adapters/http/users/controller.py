from dishka import FromDishka
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from adapters.http.users.schemas import (
    CreatedUserView,
    CreateUserBody,
    PasswordResetView,
    UpdateUserBody,
    UserPage,
    UserView,
)
from application.identity.people.create_user import CreateUser
from application.identity.people.get_user import GetUser, GetUserQuery
from application.identity.people.issue_password_reset import (
    IssuePasswordReset,
    IssuePasswordResetCommand,
)
from application.identity.people.list_users import ListUsers, ListUsersQuery
from application.identity.people.update_user import UpdateUser
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.errors import UserNotFoundError
from domain.shared.ids import UserId


class UsersController(Controller):
    path = "/users"
    tags = ("identity",)

    @post(operation_id="create_user", summary="Create a user")
    async def create_user(
        self,
        data: JSONBody[CreateUserBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[CreateUser],
    ) -> CreatedUserView:
        """Makes an account and lets it into the team. Without a `password` the answer has a
        one-time link by which the person sets one, this once and never again. Nobody gives a role
        that may do more than he may himself."""
        return CreatedUserView.of_created(await use_case(data.to_command(actor)))

    @get(operation_id="list_users", summary="List the users")
    async def list_users(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListUsers],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> UserPage:
        """Lists the accounts of the people in the team, oldest first."""
        query = ListUsersQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return UserPage.of(await use_case(query))

    @get("/{user_id:str}", operation_id="get_user", summary="Show a user")
    async def get_user(
        self,
        user_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetUser],
    ) -> UserView:
        """Shows the account of somebody in the team; operators see any."""
        return UserView.of(await use_case(GetUserQuery(actor=actor, user_id=_user_id(user_id))))

    @patch("/{user_id:str}", operation_id="update_user", summary="Change a user")
    async def update_user(
        self,
        user_id: IdParameter,
        data: JSONBody[UpdateUserBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateUser],
    ) -> UserView:
        """Changes what is given. `is_active: false` ends all sessions of the user, and revokes the
        user's API keys unless `keep_keys`. An account of several teams, or of an operator, is
        changed by operators only, that of an owner by owners; the last owner of a team stays
        active. `limits` and `budget` hold in the caller's team; null takes them away."""
        return UserView.of(await use_case(data.to_command(actor, _user_id(user_id))))

    @post(
        "/{user_id:str}/password_reset",
        operation_id="issue_user_password_reset",
        summary="Make a link to set a password",
    )
    async def issue_password_reset(
        self,
        user_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[IssuePasswordReset],
    ) -> PasswordResetView:
        """Makes a one-time link by which the user sets a new password without knowing the present
        one, for whoever cannot be reached by mail. Those who may change the account may do this."""
        command = IssuePasswordResetCommand(actor=actor, user_id=_user_id(user_id))
        return PasswordResetView.of(await use_case(command))


def _user_id(text: str) -> UserId:
    return UserId(parse_id(text, UserNotFoundError))

from dishka import FromDishka
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from adapters.http.me.schemas import MeView, UpdateMeBody
from application.identity.sessions.get_me import GetMe
from application.identity.sessions.update_me import UpdateMe
from application.shared.actor import Actor


class MeController(Controller):
    path = "/me"
    tags = ("identity",)

    @get(operation_id="get_me", summary="Show me")
    async def get_me(self, actor: NamedDependency[Actor], use_case: FromDishka[GetMe]) -> MeView:
        """Shows the person who asks, the team that the session acts in, what the role in it
        permits, and all teams of the person. An API key is no person."""
        return MeView.of_me(await use_case(actor))

    @patch(operation_id="update_me", summary="Change me")
    async def update_me(
        self,
        data: JSONBody[UpdateMeBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateMe],
    ) -> MeView:
        """Changes what is given of the display name, the colour of the avatar (`#rrggbb`) and the
        locale (a language tag such as `de-AT`)."""
        return MeView.of_me(await use_case(data.to_command(actor)))

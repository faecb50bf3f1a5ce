from dishka import FromDishka
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from adapters.http.team.schemas import TeamView, UpdateTeamBody
from application.identity.get_team import GetTeam, GetTeamQuery
from application.identity.update_team import UpdateTeam
from application.shared.actor import Actor


class TeamController(Controller):
    path = "/team"
    tags = ("identity",)

    @get(operation_id="get_team", summary="Show the team")
    async def get_team(
        self, actor: NamedDependency[Actor], use_case: FromDishka[GetTeam]
    ) -> TeamView:
        """Shows the caller's own team."""
        return TeamView.of(await use_case(GetTeamQuery(actor=actor)))

    @patch(operation_id="update_team", summary="Change the team")
    async def update_team(
        self,
        data: JSONBody[UpdateTeamBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateTeam],
    ) -> TeamView:
        """Renames the team, switches the capture of prompts and answers on or off, or changes what
        all in it together may use; `limits: null` and `budget: null` take them away."""
        return TeamView.of(await use_case(data.to_command(actor)))

from dishka import FromDishka
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from adapters.http.team.schemas import TeamView, UpdateTeamBody
from adapters.http.teams.schemas import CreateTeamBody, TeamPage
from application.identity.create_team import CreateTeam
from application.identity.get_team import GetTeam, GetTeamQuery
from application.identity.list_teams import ListTeams, ListTeamsQuery
from application.identity.update_team import UpdateTeam
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.errors import TeamNotFoundError
from domain.shared.ids import TeamId


class TeamsController(Controller):
    path = "/teams"
    tags = ("identity",)

    @post(operation_id="create_team", summary="Create a team")
    async def create_team(
        self,
        data: JSONBody[CreateTeamBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[CreateTeam],
    ) -> TeamView:
        """Makes a new team with one owner: an account that exists already. Only for operators."""
        return TeamView.of(await use_case(data.to_command(actor)))

    @get(operation_id="list_teams", summary="List the teams")
    async def list_teams(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListTeams],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> TeamPage:
        """Lists the teams that a person is in, the one of an API key, or all for operators; oldest
        first."""
        query = ListTeamsQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return TeamPage.of(await use_case(query))

    @get("/{team_id:str}", operation_id="get_one_team", summary="Show one team")
    async def get_one_team(
        self,
        team_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetTeam],
    ) -> TeamView:
        """Shows a team that the caller is in; operators see any."""
        return TeamView.of(await use_case(GetTeamQuery(actor=actor, team_id=_team_id(team_id))))

    @patch("/{team_id:str}", operation_id="update_one_team", summary="Change one team")
    async def update_one_team(
        self,
        team_id: IdParameter,
        data: JSONBody[UpdateTeamBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateTeam],
    ) -> TeamView:
        """Renames the team, switches the capture of prompts and answers on or off, or changes what
        all in it together may use; `limits: null` and `budget: null` take them away."""
        return TeamView.of(await use_case(data.to_command(actor, _team_id(team_id))))


def _team_id(text: str) -> TeamId:
    return TeamId(parse_id(text, TeamNotFoundError))

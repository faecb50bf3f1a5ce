from dataclasses import replace
from uuid import UUID

from application.models.registry.layered_catalog import LayeredCatalog, ModelPrices, ServedRegistry
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.ids import TeamId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model
from tests.fakes.models import InMemoryModelCatalog
from tests.registry_builders import a_route

FILED = a_model(name="large", aliases=("big",))
OWN = a_model(name="large", owner=TEAM_ID, is_public=False)
SHARED = a_model(name="shared", owner=OTHER_TEAM_ID, is_public=True)
HIDDEN = a_model(name="hidden", owner=OTHER_TEAM_ID, is_public=False)


class AsTheyAre(ModelPrices):
    """Models have the prices that they have."""

    def priced(self, model: ServedModel, team_id: TeamId) -> ServedModel:
        return model

    def has_own(self, team_id: TeamId) -> bool:
        return False


def a_catalog() -> LayeredCatalog:
    catalog = LayeredCatalog(InMemoryModelCatalog(FILED), AsTheyAre())
    catalog.replace_registries(
        {
            TEAM_ID: ServedRegistry(models=(OWN,)),
            OTHER_TEAM_ID: ServedRegistry(models=(SHARED, HIDDEN)),
        }
    )
    return catalog


def test_a_teams_own_model_stands_before_that_of_the_configuration() -> None:
    catalog = a_catalog()

    assert catalog.find("large", TEAM_ID) is OWN
    assert catalog.find("large", OTHER_TEAM_ID) is FILED
    assert catalog.find("big", TEAM_ID) is FILED


def test_others_see_what_is_public_and_nothing_else() -> None:
    catalog = a_catalog()

    assert catalog.find("shared", TEAM_ID) is SHARED
    assert catalog.find("hidden", TEAM_ID) is None
    assert catalog.find("hidden", OTHER_TEAM_ID) is HIDDEN


def test_the_list_has_ones_own_first_and_nothing_that_its_name_does_not_lead_to() -> None:
    catalog = a_catalog()

    assert catalog.all(TEAM_ID) == (OWN, SHARED)
    assert catalog.all(OTHER_TEAM_ID) == (HIDDEN, SHARED, FILED)


def test_a_route_hides_a_model_of_its_name() -> None:
    catalog = a_catalog()
    route = a_route("shared", name="big")
    catalog.replace_registries({TEAM_ID: ServedRegistry(models=(OWN,), routes=(route,))})

    assert catalog.route("big", TEAM_ID) is route
    assert catalog.find("big", TEAM_ID) is None
    assert catalog.routes(TEAM_ID) == (route,)
    assert catalog.kind_of("big", TEAM_ID) is ModelKind.CHAT
    assert catalog.kind_of("nothing", TEAM_ID) is None


def test_a_change_is_seen_at_once_and_of_one_team_only() -> None:
    catalog = a_catalog()
    assert catalog.find("large", TEAM_ID) is OWN

    catalog.replace_registries({TEAM_ID: ServedRegistry()})

    assert catalog.find("large", TEAM_ID) is FILED
    assert catalog.find("shared", TEAM_ID) is SHARED
    assert TEAM_ID not in catalog.registries


def test_of_two_public_models_of_one_name_the_older_teams_is_served() -> None:
    catalog = LayeredCatalog(InMemoryModelCatalog(), AsTheyAre())
    rival = replace(SHARED, owner=TEAM_ID, upstream_name="rival")
    catalog.replace_registries(
        {
            OTHER_TEAM_ID: ServedRegistry(models=(SHARED,)),
            TEAM_ID: ServedRegistry(models=(rival,)),
        }
    )
    third = TeamId(UUID(int=TEAM_ID.int + 99))

    assert catalog.find("shared", third) is rival
    assert catalog.all(third) == (rival,)


def test_a_private_change_leaves_the_views_of_others_alone() -> None:
    catalog = a_catalog()
    before = catalog.all(OTHER_TEAM_ID)

    catalog.replace_registries({TEAM_ID: ServedRegistry(models=(replace(OWN, name="new"),))})
    private = catalog.all(OTHER_TEAM_ID)
    public = replace(OWN, name="new", is_public=True)
    catalog.replace_registries({TEAM_ID: ServedRegistry(models=(public,))})

    assert private is before
    assert catalog.find("new", OTHER_TEAM_ID) is public

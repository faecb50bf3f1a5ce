from tests.builders import a_model


def test_a_deployment_is_the_provider_and_its_own_name_of_the_model() -> None:
    model = a_model(provider="acme", upstream_name="large-2")

    assert model.deployment == "acme/large-2"


def test_a_model_answers_to_its_name_first_and_then_to_its_aliases() -> None:
    model = a_model(name="large", aliases=("default", "big"))

    assert model.names == ("large", "default", "big")

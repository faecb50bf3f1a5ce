from domain.inference.token_estimate import TokenEstimate


def test_a_prompt_is_guessed_from_the_size_of_the_request() -> None:
    assert TokenEstimate.of(401, max_output=None) == TokenEstimate(prompt=101)


def test_each_answer_has_its_own_limit() -> None:
    assert TokenEstimate.of(4, max_output=50, choices=3).output == 150


def test_a_prompt_is_no_longer_than_the_models_context() -> None:
    assert TokenEstimate.of(1_000_000, max_output=None, context_length=8192).prompt == 8192

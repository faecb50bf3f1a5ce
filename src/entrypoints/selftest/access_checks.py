"""Is it there, does it keep strangers out, and which models does it serve?"""

from entrypoints.selftest.expectations import OK, expect, expect_envelope, expect_status
from entrypoints.selftest.target import CheckSkippedError, Target

UNAUTHORIZED = 401
NOT_FOUND = 404
MISSING_MODEL = "stoa-selftest-no-such-model"
WRONG_KEY = "sk-stoa-selftest-wrong-key"


async def connects(target: Target) -> str:
    answer = await target.get("/models")
    return f"HTTP {answer.status} from {target.url}"


async def refuses_without_key(target: Target) -> str:
    answer = await target.get("/models", anonymous=True)
    if answer.status == OK and target.api_key is None:
        raise CheckSkippedError("the server asks for no key")
    expect_envelope(answer, UNAUTHORIZED)
    return "401 with the error envelope"


async def refuses_wrong_key(target: Target) -> str:
    if target.api_key is None and (await target.get("/models", anonymous=True)).status == OK:
        raise CheckSkippedError("the server asks for no key")
    expect_envelope(await target.get("/models", key=WRONG_KEY), UNAUTHORIZED)
    return "401 with the error envelope"


async def lists_models(target: Target) -> str:
    answer = await target.get("/models")
    expect_status(answer, OK)
    listing = answer.json()
    expect(listing.get("object") == "list", "'object' is not 'list'")
    data = listing.get("data")
    expect(isinstance(data, list) and data, "'data' lists no model")
    for model in data or ():
        expect(isinstance(model, dict) and model.get("id"), "a model has no id")
        expect(model.get("object") == "model", f"'object' of {model.get('id')} is not 'model'")
    target.models = [model["id"] for model in data or ()]
    return f"{len(target.models)} models"


async def shows_a_model(target: Target) -> str:
    if not target.models:
        raise CheckSkippedError("no model is listed")
    name = target.chat_model or target.models[0]
    answer = await target.get(f"/models/{name}")
    expect_status(answer, OK)
    expect(answer.json().get("object") == "model", "'object' is not 'model'")
    return name


async def knows_no_unknown_model(target: Target) -> str:
    expect_envelope(await target.get(f"/models/{MISSING_MODEL}"), NOT_FOUND)
    return "404 with the error envelope"

import re

import pytest

from tests.e2e.api.world import World

PAGES = ("/setup", "/reset-password", "/invitation")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_served_to_everybody_and_kept_by_nobody(path: str) -> None:
    async with World().client(key=None) as client:
        answer = await client.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "<h1" in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_and_runs_only_what_this_server_has(path: str) -> None:
    async with World().client(key=None) as client:
        answer = await client.get(path)
        links = set(re.findall(r'(?:src|href)="([^"]*)"', answer.text))
        loaded = [await client.get(link) for link in links - {"data:,"}]

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "form-action 'none'" in policy
    assert "unsafe" not in policy
    assert links == {"/pages/pages.js", "/pages/pages.css", "data:,"}
    assert {asset.status_code for asset in loaded} == {200}
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=|https?:", answer.text)


@pytest.mark.parametrize("path", PAGES)
async def test_every_input_has_a_label_and_its_error_a_place(path: str) -> None:
    async with World().client(key=None) as client:
        text = (await client.get(path)).text

    named = set(re.findall(r'<input id="(\w+)" name="\1"', text))
    assert named
    assert named <= set(re.findall(r'<label for="(\w+)"', text))
    assert named <= set(re.findall(r'data-wrong="(\w+)" role="alert"', text))


async def test_the_script_writes_no_markup() -> None:
    async with World().client(key=None) as client:
        script = (await client.get("/pages/pages.js")).text

    assert "innerHTML" not in script
    assert "eval(" not in script


async def test_another_file_is_not_found() -> None:
    async with World().client(key=None) as client:
        for name in ("setup.html", "handlers.py", "..%2Fhandlers.py"):
            answer = await client.get(f"/pages/{name}")

            assert answer.status_code == 404

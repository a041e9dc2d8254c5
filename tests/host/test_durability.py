"""A server that is killed at any moment loses nothing that was answered."""

import json
import random
import threading
import time

import httpx
import pytest

from tests.host.helpers import HTMX, PLUGINS, serving


def test_a_killed_server_goes_on_at_the_same_step(tmp_path):
    key = {"pipeline_id": "Default_Profile-trip-long"}
    with (
        serving(PLUGINS, tmp_path) as served,
        httpx.Client(base_url=served.url, headers=HTMX) as client,
    ):
        client.post("/trip/init", data={"pipeline_id": "long"})
        client.post("/trip/step_01_submit", data={**key, "people": "7", "notes": "kept"})
        served.process.kill()
        served.process.wait()
    with (
        serving(PLUGINS, tmp_path) as served,
        httpx.Client(base_url=served.url, headers=HTMX) as client,
    ):
        assert "kept" in client.get("/trip/step_01", params=key).text
        assert 'data-state="input"' in client.get("/trip/step_02", params=key).text
        answer = client.post("/trip/step_02_submit", data={**key, "nights": "1", "travel": "car"})
        assert 'data-state="done"' in answer.text


@pytest.mark.slow
def test_killed_while_writing_each_acknowledged_answer_is_there_and_whole(tmp_path):
    """Killed three times, at other moments; the server that finds the answer is the next to be killed."""
    key = {"pipeline_id": "Default_Profile-trip-busy"}
    acknowledged = [-1]
    chance = random.Random(1)

    def submit(url):
        with httpx.Client(base_url=url, headers=HTMX) as client:
            try:
                for number in range(acknowledged[-1] + 1, 100_000):
                    values = {**key, "people": str(number), "notes": "x" * 20_000}
                    if client.post("/trip/step_01_submit", data=values).status_code == 200:
                        acknowledged.append(number)
            except httpx.HTTPError:
                return

    def check(url):
        run = {"run": key["pipeline_id"]}
        state = json.loads(httpx.get(f"{url}/runs/download", params=run).text)
        assert state["step_01"]["people"] in (acknowledged[-1], acknowledged[-1] + 1)
        assert state["step_01"]["notes"] == "x" * 20_000

    for kill in range(3):
        with serving(PLUGINS, tmp_path) as served:
            if kill:
                check(served.url)
            else:
                httpx.post(f"{served.url}/trip/init", data={"pipeline_id": "busy"}, headers=HTMX)
            before = len(acknowledged)
            writer = threading.Thread(target=submit, args=(served.url,))
            writer.start()
            while len(acknowledged) < before + 5:
                assert writer.is_alive()
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.3))  # the moment of the kill; any must do
            served.process.kill()
            served.process.wait()
            writer.join()
    with serving(PLUGINS, tmp_path) as served:
        check(served.url)

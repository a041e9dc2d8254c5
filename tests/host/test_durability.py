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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_while_writing_each_acknowledged_answer_is_there_and_whole(tmp_path, seed):
    key = {"pipeline_id": "Default_Profile-trip-busy"}
    acknowledged = [-1]

    def submit(url):
        with httpx.Client(base_url=url, headers=HTMX) as client:
            try:
                for number in range(100_000):
                    values = {**key, "people": str(number), "notes": "x" * 20_000}
                    if client.post("/trip/step_01_submit", data=values).status_code == 200:
                        acknowledged.append(number)
            except httpx.HTTPError:
                return

    with serving(PLUGINS, tmp_path) as served:
        httpx.post(f"{served.url}/trip/init", data={"pipeline_id": "busy"}, headers=HTMX)
        writer = threading.Thread(target=submit, args=(served.url,))
        writer.start()
        while len(acknowledged) < 5:
            time.sleep(0.005)
        time.sleep(random.Random(seed).uniform(0, 0.3))  # the moment of the kill; any must do
        served.process.kill()
        served.process.wait()
        writer.join()
    with serving(PLUGINS, tmp_path) as served:
        state = json.loads(
            httpx.get(f"{served.url}/runs/download", params={"run": key["pipeline_id"]}).text
        )
        assert state["step_01"]["people"] in (acknowledged[-1], acknowledged[-1] + 1)
        assert state["step_01"]["notes"] == "x" * 20_000

"""A person with htmx before one workflow: the page is kept as a browser keeps it, and only what it offers is done."""

import time

from pipulate_runtime.host.base.browser import Page, attribute, fill

HTMX = {"HX-Request": "true"}


class Visitor:
    def __init__(self, client, key, app_name):
        self.client, self.key, self.app_name = client, key, app_name
        self.triggers = []
        self.page = Page(client.get(f"/{key}").text)

    def start(self, name="a run"):
        self.submit("init", pipeline_id=name)
        return self

    def send(self, call):
        target = self.page.target_id(call)
        headers = {**HTMX, "HX-Target": target} if target else HTMX
        if call.method == "GET":
            answer = self.client.get(call.path, params=dict(call.values), headers=headers)
        else:
            data = {}
            for name, value in call.values:
                data.setdefault(name, []).append(value)
            answer = self.client.post(call.path, data=data, headers=headers)
        assert answer.status_code < 400, answer.text
        if "HX-Trigger" in answer.headers:
            self.triggers.append(answer.headers["HX-Trigger"])
        self.page.swap(call, answer.text, answer.headers)
        return answer

    def settle(self, most=200.0):
        """Does what loads by itself, until nothing does; `most` is in seconds."""
        until = time.monotonic() + most
        while (call := self.page.pending()) is not None:
            assert time.monotonic() < until, f"the page goes on and on: {call.path}"
            time.sleep(min(call.delay, 0.05))
            self.send(call)
        return self

    def form(self, action):
        found = self.page.form_for(f"/{self.app_name}/{action}")
        assert found is not None, f"no form for {action}: {self.text()}"
        return found

    def submit(self, action, **answers):
        form = self.form(action)
        answer = self.send(self.page.submit(form, fill(form, answers)))
        self.settle()
        return answer

    def back(self, step_id):
        path = f"/{self.app_name}/revert"
        for form in self.page.soup.find_all("form", attrs={"hx-post": path}):
            if form.find("input", attrs={"name": "step_id", "value": step_id}):
                self.send(self.page.submit(form, fill(form, {})))
                return self.settle()
        raise AssertionError(f"no way back to {step_id}: {self.text()}")

    def shows(self, step_id):
        card = self.page.by_id(step_id)
        return card.get_text(" ", strip=True) if card else ""

    def standing(self, step_id):
        card = self.page.by_id(step_id)
        return attribute(card, "data-state") if card else None

    def text(self):
        return self.page.soup.get_text(" ", strip=True)

    def ids(self):
        return [element["id"] for element in self.page.soup.select("[id]")]

"""The keys of runs: `<profile>-<APP_NAME>-<name>`, spaces as `_` (CONTRACT 1.8). The names may hold dashes."""

import re
from typing import Any

from pipulate_runtime.host.state.store import StateStore


class Keys:
    """The part of `pip` that makes keys and takes them apart."""

    _store: StateStore
    _app_names: set[str]

    def generate_pipeline_key(
        self, plugin: Any, user_input: str | None = None
    ) -> tuple[str, str, str]:
        """(key, prefix, user part) for a run: of the given name, or the next free number."""
        self._app_names.add(plugin.APP_NAME)  # it may have registered its routes by hand
        prefix = self._store.run_prefix(plugin.APP_NAME)
        name = re.sub(r"\s+", "_", (user_input or "").strip()).removeprefix(prefix)
        if not name:
            name = f"{self._store.highest_number(plugin.APP_NAME, prefix) + 1:02}"
        return prefix + name, prefix, name

    def parse_pipeline_key(self, key: str) -> dict[str, str]:
        """The parts of a key. Names may hold dashes: the workflow's own name tells where they end."""
        run = self._store.run(key)
        names = [run.app_name] if run else sorted(self._app_names, key=len, reverse=True)
        for name in names:
            profile, found, user = key.partition(f"-{name}-")
            if found:
                return {"profile_part": profile, "plugin_part": name, "user_part": user}
        profile, _, rest = key.partition("-")
        plugin, _, user = rest.partition("-")
        return {"profile_part": profile, "plugin_part": plugin, "user_part": user}

    def get_plugin_context(self, plugin: Any = None) -> dict[str, Any]:
        """The names of a plugin and of the profile in use."""
        profile_id, profile_name = self._store.profile()
        app_name = getattr(plugin, "APP_NAME", None)
        return {
            "plugin_name": getattr(plugin, "DISPLAY_NAME", None) or app_name,
            "internal_name": getattr(plugin, "name", None) or app_name,
            "profile_id": profile_id,
            "profile_name": profile_name,
        }

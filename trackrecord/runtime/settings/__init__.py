"""Settings of the stages, from the environment."""

from trackrecord.runtime.settings.settings import PREFIX, Settings, hide_password, load_settings

__all__ = ["PREFIX", "Settings", "hide_password", "load_settings"]

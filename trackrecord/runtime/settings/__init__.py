"""Settings of the stages, from the environment."""

from trackrecord.runtime.settings.settings import PREFIX, Settings, load_settings

__all__ = ["PREFIX", "Settings", "load_settings"]

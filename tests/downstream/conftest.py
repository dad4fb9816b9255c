"""Profiles as any project has them; `pytest --hypothesis-profile unshrunk` is the quick one."""

from hypothesis import Phase, settings

settings.register_profile("project", max_examples=40, deadline=None, derandomize=True)
settings.register_profile("unshrunk", settings.get_profile("project"), phases=[Phase.generate])
settings.load_profile("project")

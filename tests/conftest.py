"""For every test: hypothesis draws the same examples each time, and no clock decides whether one passes."""

from hypothesis import settings

settings.register_profile("archsim", derandomize=True, deadline=None)
settings.load_profile("archsim")

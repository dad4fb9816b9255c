"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE.

dev, ci (derandomised: the same examples every time), nightly, and mutation (as ci, but failures are not shrunk).
"""

import os

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase

collect_ignore = ["downstream"]  # a project of its own: test_downstream.py runs it from outside

ALL_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)
TOO_SLOW = (HealthCheck.too_slow,)  # a busy machine is no failure; filtering too much still is

settings.register_profile(
    "dev",
    max_examples=50,
    stateful_step_count=30,
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),
    deadline=None,
    phases=ALL_PHASES,
    verbosity=Verbosity.normal,
    suppress_health_check=TOO_SLOW,
    report_multiple_bugs=False,
    print_blob=True,
)
settings.register_profile(
    "ci",
    max_examples=50,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
    verbosity=Verbosity.normal,
    suppress_health_check=TOO_SLOW,
    report_multiple_bugs=True,
    print_blob=True,
)
settings.register_profile(
    "mutation",
    max_examples=50,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    verbosity=Verbosity.normal,
    suppress_health_check=TOO_SLOW,
    report_multiple_bugs=False,
    print_blob=False,
)
settings.register_profile(
    "nightly",
    max_examples=10_000,
    stateful_step_count=100,
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),
    deadline=None,
    phases=ALL_PHASES,
    verbosity=Verbosity.normal,
    suppress_health_check=TOO_SLOW,
    report_multiple_bugs=True,
    print_blob=True,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

"""The product's settings plus the bare view that serves as yardstick for capture."""

from leadmgmt.settings import *  # noqa: F403
from leadmgmt.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench"]
ROOT_URLCONF = "bench.urls"

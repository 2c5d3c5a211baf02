"""The spec of lab 04. Each test takes the functions it tests by name."""

from multilora.labs.spec_04_cache import *  # noqa: F403
from multilora.labs.spec_04_curve import *  # noqa: F403
from multilora.labs.spec_04_walk import *  # noqa: F403

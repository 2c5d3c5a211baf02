"""The spec of lab 01. Each test takes the functions it tests by name."""

from multilora.labs.spec_01_numbers import *  # noqa: F403
from multilora.labs.spec_01_products import *  # noqa: F403

"""The spec of lab 02. Each test takes the functions it tests by name."""

from multilora.labs.spec_02_merge import *  # noqa: F403  # isort: skip
from multilora.labs.spec_02_diff import *  # noqa: F403
from multilora.labs.spec_02_print import *  # noqa: F403

"""The labs' contract: starter, solution and spec share one set of names.

The solution is the library itself. LAB_IMPL=starter makes the tests, the
grader and the notebooks use the learner's code in starter_XX.py.
"""

from multilora.labs.checks import check
from multilora.labs.switch import NAMES

__all__ = ["NAMES", "check"]

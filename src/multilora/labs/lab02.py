"""Lab 02's functions for its notebook; LAB_IMPL says whose they are."""

from multilora.labs.checks import for_notebook

globals().update(vars(for_notebook("02")))

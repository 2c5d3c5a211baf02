"""The spec of lab 03; LAB_IMPL=starter runs it on the learner's code."""

from multilora.labs.spec_03 import *  # noqa: F403

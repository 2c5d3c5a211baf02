"""The spec of lab 04; LAB_IMPL=starter runs it on the learner's code."""

from multilora.labs.spec_04 import *  # noqa: F403

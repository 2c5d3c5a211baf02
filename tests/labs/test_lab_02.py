"""The spec of lab 02; LAB_IMPL=starter runs it on the learner's code."""

from multilora.labs.spec_02 import *  # noqa: F403

"""The spec of lab 01; LAB_IMPL=starter runs it on the learner's code."""

from multilora.labs.spec_01 import *  # noqa: F403

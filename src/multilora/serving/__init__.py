"""A simulated engine, step by step: who waits, for what, and how long.

steps     a small model in whole steps, to think with
workload  requests: when, whose, how long
cost      what a step and a load take, in whole nanoseconds
run       serve() and what it returns
plain     the engine in Python, the readable one
compiled  the same in numba, equal to the last nanosecond
diagnosis per-tenant percentiles, and why a late request was late
"""

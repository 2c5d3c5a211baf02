"""A simulated engine, step by step: who waits, for what, and how long.

steps     a small model in whole steps, to think with
budget    one step of vLLM's scheduler with a token budget
workload  requests: when, whose, how long
limits    the limits of an engine, by vLLM's names
cost      what a step and a load take, in whole nanoseconds
terms     a model's terms, fitted on real hours; term_words says them
blocks    the KV blocks that are free; front the API server before the engine
run       serve() and what it returns, noted in a trace
plain     the engine in Python, the readable one
compiled  the same in numba, equal to the last nanosecond; memory its arrays
diagnosis per-tenant percentiles, and why a late request was late
worst     the worst tenants and the worst minute of a run
parts     percentiles of many parts of a row at once
logged    a log of requests as a workload

Its cost on an engine of yours:

calibrate    sends probes to a vLLM server and fits what they took
calibration  what came of it, and its file, by whole_file; cost_words what
             the parts of a cost are
prediction   a workload on the calibrated engine, as an interval
probes       which scenes to send; rounds of scenes until the time is over
scenes       a few requests at once; ticks the engine's steps they show
timed        steps and groups of them; fitting a cost to them, by nnls
client       requests with a limit; address where to, replies what came
served       the server's base and adapters, loaded and taken out again
"""

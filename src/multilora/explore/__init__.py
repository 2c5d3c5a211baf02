"""Sliders: one function, explore(draw, **axes), for every one.

sliders   explore and show, in a notebook
explorer  a draw function with its axes, as data
player    its frames; ahead draws those that may be asked for next
stops     the name before a slider
upload    a log that a reader brings, or the example
nodelay   JupyterLab's server: a held slider answered at once
"""

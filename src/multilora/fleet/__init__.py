"""Several engines.

sizing  how many, by slots and by the load at its peak
"""

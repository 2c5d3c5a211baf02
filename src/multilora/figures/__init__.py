"""Drawing. Each draw function fills a figure and returns one sentence.

The models never import this package; it imports them.
"""

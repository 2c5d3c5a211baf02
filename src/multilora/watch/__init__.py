"""What a server in trouble shows.

symptoms   the operator's table: symptom, cause, the dial to change first
metrics    pages of /metrics from a file or a server
scrapes    such a page parsed; histogram its buckets
seen       a few pages side by side
findings   which rows of the table fit them
"""

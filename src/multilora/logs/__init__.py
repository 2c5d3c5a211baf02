"""A log of requests, as a server or a gateway wrote it.

read      one log: who asked, when, how many tokens, what was skipped
lines     its lines, plain or gzipped; rows as CSV or JSON
table     its columns and rows; names how loggers call their columns
columns   which column holds what; fields what stands there, checked
unpacked  how long a log is once it is unpacked
times     seconds from epoch numbers or ISO 8601
notes     what a reader should know; tally what was skipped
"""

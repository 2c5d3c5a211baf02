"""Are a server's answers its own, also in company?

run       asks the same alone and in company; asked checks what
wrong     when a change is a finding
company   alone, in batches, in turn; newcomer while an adapter is loaded
greedy    greedy answers; alike whether two are the same, up to noise
"""

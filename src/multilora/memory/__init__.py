"""Bytes: what adapters weigh, what slots reserve, what KV is left.

economics    the bill: adapters, sharing, engines
reservation  the slots, by version of vLLM
ledger       one card: weights, slots, KV blocks
"""

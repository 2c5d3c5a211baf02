"""Bytes: what adapters weigh, what slots reserve, what KV is left.

economics    the bill: adapters, sharing, engines
reservation  the slots, by version of vLLM
kv           KV of a token, of a request, and the tokens a pool holds
wrapped      which modules get slots
sharding     what one of several GPUs holds
overheads    what a step, the context and CUDA graphs take
weights      the model's own, by the format that they are stored in
cards        a card by its name or size, in GiB
ledger       one card: weights, slots, KV blocks
"""

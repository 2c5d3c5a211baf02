"""The LoRA product: many adapters over one base matmul.

lora      the delta, one adapter, a batch; merging
groups    rows by adapter, in one batch
segments  the same for rows that are sorted once a step
operands  shapes and ids checked before any arithmetic
rounding  how far two correct ways may differ
counting  a matrix that records the products it takes part in
traps     tempting wrong ways, kept to be run and avoided
"""

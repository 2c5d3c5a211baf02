"""From traffic, a model and a card to the numbers to set.

options  what each max_loras costs and gives
answer   what a plan says: printed, written and read back
advice   which one to choose, and why
"""

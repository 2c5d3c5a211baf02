"""From traffic, a model and a card to the numbers to set.

options  what each max_loras costs and gives
advice   which one to choose, and why
"""

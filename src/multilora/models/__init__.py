"""A model as LoRA sees it: which layers there are, and how wide.

shapes   ModelShape, from a config.json
config   that file found and read, its fields checked
shipped  the models whose config.json come along
"""

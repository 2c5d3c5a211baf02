"""A line that starts vLLM, read and compared with a card.

words     its arguments, as a shell would split them
flags     their names and values, as vLLM's parser reads them
config    the YAML file of --config, which config_words reads
notes     those that change memory and are not counted
read      a model and an engine's settings
refusals  what vLLM refuses to start with, whatever the memory
changes   what would make a line start
fit       does it start, and with how many KV tokens
"""

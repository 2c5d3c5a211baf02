"""A model as LoRA sees it: its layers, how wide, what they cache.

shapes        ModelShape, from a config.json
config        that file found and read
families/     descriptions of model_types, as data; README.md there
family        a description read, build: applied to a config
layers        modules, caches and layers that they come to
fields        fields of a config with transformers' defaults
expressions   the formulas in a description
quantisation  what a config says of the weights' formats
dtypes        16 bits and others, in vLLM's names
versions      what each release of vLLM does with LoRA, as read
classes       a model's class in a release
wrong_answers which releases answer wrong without an error
served        which model_types are described here
shipped       the models whose config.json come along
named         a model by what somebody calls it
"""

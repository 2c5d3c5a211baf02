"""Configs whose class comes with their checkpoint, as code."""

from transformers import AutoConfig, PreTrainedConfig

MODEL_TYPES = {  # and what one calls a common field
    "baichuan": {},
    "exaone": {"num_hidden_layers": "num_layers"},
    "internlm2": {},
    "internlm3": {},
    "minicpm": {},
    "nemotron-nas": {},
}


def register():
    """Have transformers read these as a bare config with the file's values.

    Nemotron-NAS has a dict per block; its own class reads it as attributes.
    """
    for name, names in MODEL_TYPES.items():

        class Bare(PreTrainedConfig):
            model_type = name
            attribute_map = names
            max_position_embeddings: int | None = None
            block_configs: list | None = None

            def __post_init__(self, **others):
                super().__post_init__(**others)
                self.block_configs = _nested(self.block_configs)

        AutoConfig.register(name, Bare)


class _Nested(dict):
    def __getattr__(self, name):
        if name in self:
            return self[name]
        raise AttributeError(name)


def _nested(value):
    if isinstance(value, list):
        return [_nested(item) for item in value]
    if isinstance(value, dict):
        return _Nested({key: _nested(item) for key, item in value.items()})
    return value

"""Made-up models by what their layers keep."""

from multilora.models.layers import Cache, Layers
from multilora.models.shapes import ModelShape

# One layer of each kind, a token of 512 bytes in 16 bits where it grows.
FULL = (Cache("full", 2, 64),)
SLIDING = (Cache("sliding", 2, 64, window=100),)
CHUNKED = (Cache("chunked", 2, 64, window=256),)
LATENT = (Cache("mla", 1, 256),)
STATE = (Cache("state", 0, 3000), Cache("state", 0, 5000, element_bytes=4))


def kept(*layers, max_position_embeddings=1024):
    """Return a ModelShape whose layers keep these caches, nothing else."""
    return ModelShape(
        name="made up",
        architecture="llama",
        layers=tuple(
            Layers("layers.*", (number,), (), caches)
            for number, caches in enumerate(layers)
        ),
        hidden_size=128,
        intermediate_size=128,
        num_layers=len(layers),
        num_heads=2,
        num_kv_heads=2,
        head_dim=64,
        vocab_size=100,
        max_position_embeddings=max_position_embeddings,
        tied=False,
    )

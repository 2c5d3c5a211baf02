"""Multi-LoRA serving, measured: the models behind the book."""

__version__ = "0.1.0"

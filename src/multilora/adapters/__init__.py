"""One adapter: a folder as PEFT saves it.

config       adapter_config.json, and what vLLM refuses in it
file         how many bytes the file must have, and why it has others
checkpoints  safetensors read, a base's fingerprint
check        may this adapter be served on this base
merged       a model of its own: the base with its adapter merged in
replies      what a comparison of two ways of serving returns
diff         that comparison, token by token
misfits      adapters that are wrong in one way each, for tests and canaries
"""

"""One adapter: a folder as PEFT saves it.

config       adapter_config.json: ranks, scales, what vLLM refuses in it
foreign      other formats, with a way out of them
keys         the names of tensors, as PEFT writes and vLLM reads them
places       where an adapter of a base may have weights, in vLLM's names
layout       the tensors that PEFT writes
sizes        their bytes in a file
explain      why a file has other bytes
file         all three, under one name
checkpoints  safetensors read, a base's fingerprint
weights      an adapter's tensors put to places, and checked
experts      the same of a mixture's experts
facts        what is said of an adapter that passes
notes        what an operator may not expect of it
folders      adapters found below a path, the ranks in them
readable     what can be said of its files before the base is known
check        may this adapter be served on this base
preflight    many adapters checked, the worst first
merged       a model of its own: the base with its adapter merged in
replies      what a comparison of two ways of serving returns
diff         that comparison, token by token
made         an adapter of random weights for any base
misfits      adapters that are wrong in one way each, for tests and canaries
"""

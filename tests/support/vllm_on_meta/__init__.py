"""vLLM's own classes, built on torch's meta device, say what they allocate.

vllm_models.ask() runs this package in the engine's Python. Nothing runs on a
GPU: a tensor on the meta device has a shape and a type, and no memory. Yet
vLLM decides as on an NVIDIA GPU, for its own CUDA platform class decides. The
models' classes, the LoRA manager, the layers that allocate slots, the makers
of the experts' kernels and the planner of the KV cache are vLLM's, unchanged.

What is replaced, and why it cannot change a shape, a type or a size:

- The device's answers (gpu.py). Choices that follow from the GPU (attention
  backend, block size, kernel of the experts, tokens in a batch) are as on the
  GPU that ask() names; FlashInfer and DeepGEMM are absent, and a choice that
  would fall on them falls on the next in vLLM's own order.
- Compiled kernels (absent.py). Building a model calls none; where vLLM
  repacks weights after it loads them, it has said itself, in the "fake" form
  of the operator for torch.compile, what shape comes out.
- The numbers in a tensor (device.py). On the meta device there are none;
  vLLM asks for some scales, and reads ones. No shape depends on them.
- Packages that are not installed (absent.py): vision and audio libraries that
  a model's file imports for its processor, which is never made.
- The network (gpu.py). A rank is built in a world of the true size; torch's
  "fake" process group stands for the others.
- The inspection of a class, which vLLM does in a subprocess, is done here:
  the subprocess would lack the replacements.
- Configs whose class comes with the checkpoint (configs.py): they hold the
  file's values.
"""

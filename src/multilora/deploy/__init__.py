"""A plan as files, each a text that another program reads.

quoting     users' texts in comments, shells and names of services
yaml_files  documents as YAML
serve_args  the `vllm serve` line of each engine
containers  image, command and folders within a container
compose     a Compose file: engines and the gateway
kubernetes  Deployments and Services
homes       which engines serve a tenant: names in headers, and a table
gateway     nginx that follows the plan, backups too
router      the line of vllm-router, and what it cannot do
llm_d       the scorers of llm-d's router, LoRA's among them
production_stack  values of the chart of vLLM's production-stack
load_test   inference-perf's configuration for each engine
files       all of them by name, and the README
"""

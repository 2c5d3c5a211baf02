"""A plan as files, each a text that another program reads.

quoting     users' texts in comments, shells, YAML and names of services
serve_args  the `vllm serve` line of each engine
containers  image, command and folders within a container
compose     a Compose file: engines and the gateway
kubernetes  Deployments and Services
gateway     which engine serves a tenant: a table, and nginx that follows it
router      the line of vllm-router, and what it cannot do
load_test   inference-perf's configuration for each engine
files       all of them by name, and the README
"""

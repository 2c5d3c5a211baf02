"""From a case to a plan: engines, who shares one, and every dial.

case       what somebody wants to serve: base, card, tenants, traffic, SLO
costs      where the times of a step are from
make       a case into its plan
answer     what a plan says: printed, written and read back
search     how many engines, who shares one, and where each dial is
played     one setting of all engines, played; tenants what they meet there
reach      which tenants an SLO is out of reach for
stretch    the busiest stretch of a long log
otherwise  one dial moved, and worlds other than the plan assumes
words      sentences on what a reader of a plan must know
choices    max_loras by what it serves
advice     the rule by which one of several settings is taken
options    what each max_loras and each rank costs in memory

The answer as files, each a text that another program reads:

quoting     users' texts in comments, shells, YAML and names of services
serve_args  the `vllm serve` line of each engine
containers  image, command and folders within a container
compose     a Compose file: engines and the gateway
kubernetes  Deployments and Services
gateway     which engine serves a tenant: a table, and nginx that follows it
router      the line of vllm-router, and what it cannot do
load_test   inference-perf's configuration for each engine
files       all of them by name, and the README

A line that starts vLLM, read and held against a card:

serve_words   its arguments, as a shell would split them
serve_flags   their names and values, as vLLM's parser reads them
serve_config  the YAML file of --config
serve_notes   those that change memory and are not counted
serve_line    a model and an engine's settings
refusals      what vLLM refuses to start with, whatever the memory
changes       what would make a line start
fit           does it start, and with how many KV tokens
"""

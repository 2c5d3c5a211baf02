"""The command `multilora`: it reads files, calls the rooms below, and prints.

app       the command, its exit codes and its errors
show      one answer as tables for a person or as JSON for a script
plan      which engines and dials keep a promise; plan_case its options,
          plan_show its answer
fit       does a line that starts vLLM start on a card
bars      a GPU's memory as a bar
check     can these adapters be served
replay    a log on one engine: who would have waited, and for what
          log_options and engine_options its options, replay_show its answer
live      what the commands that talk to a server share:
calibrate what a step costs there
verify    a plan's traffic there, beside the plan; verdict shows it
diagnose  which symptoms fit its metrics
canary    it is asked alone and in company; canary_show its answer
write     a plan's files in a folder
report    a plan as one page that needs no network
report_parts  the tables of that page
markup    HTML of texts that others wrote
cells     the command within a notebook's cell
case_show a log and what its tenants meet, in a notebook's cells
"""

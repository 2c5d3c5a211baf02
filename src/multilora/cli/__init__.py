"""The command `multilora`: it reads files, calls the rooms below, and prints.

app       the command, its exit codes and its errors
show      one answer as tables for a person or as JSON for a script
replay    a log on one engine: who would have waited, and for what
          log_options and engine_options its options, replay_show its answer
write     a plan's files in a folder
report    a plan as one page that needs no network
report_parts  the tables of that page
markup    HTML of texts that others wrote
"""

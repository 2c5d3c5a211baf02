"""The command `multilora`: it reads files, calls the rooms below, and prints.

app       the command, its exit codes and its errors
show      one answer as tables for a person or as JSON for a script
"""

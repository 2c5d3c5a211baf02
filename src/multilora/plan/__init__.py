"""From a case to a plan: engines, who shares one, and every dial.

case       what somebody wants to serve: base, card, tenants, traffic, SLO
by_name    each tenant's rank and folder, by the adapters that were found
drawn      traffic where there is no log
costs      where the times of a step are from
make       a case into its plan
stored     a plan in a file, read back
parts      its numbers, with their bounds
answer     what a plan says: printed, written and read back
search     how many engines, who shares one, and where each dial is
workers    where settings are played: on_cores of this machine, on_ray at
           a ray_address, or here; jobs is what is played
played     one setting of all engines, played; tenants what they meet there
load       the part of the traffic that each engine gets
reach      which tenants are late even alone on an engine
replicas   on how many engines a tenant must be whom one serves too late
takers     who takes over whom when an engine is lost
losses     each loss of one engine, played
spare      the fewest engines that meet the SLO even then
routers    the chosen engines behind each router
fleet_notes  sentences on replicas and on a loss
stretch    the busiest stretch of a long log
otherwise  one dial moved, and worlds other than the plan assumes
memory_parts  where the memory of one GPU goes
verdict    what a plan answers, in sentences
words      sentences on what a reader of a plan must know
choices    max_loras by what it serves
advice     the rule by which one of several settings is taken
options    what each max_loras and each rank costs in memory
"""

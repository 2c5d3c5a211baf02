"""Others' claims and figures, and vLLM's own classes, beside ours.

predicted       published figures beside what our formulas say
reconciliation  what the engine's tests found, as a table
anchors         places in vLLM's code; anchored pins them anew
pitches         published claims; audits recomputes them case by case
fleet_claims    claims about fleets: fleet_rates plays dLoRA's figure 11,
                fleet_routed the set-ups of BLIS and GIE, as fleet_setups has
formula         the seeds' ceil(tenants / max_loras) beside a plan
ray_runs        Ray Serve in front of vLLM: loads counted, and ours
timing          ratios of times in one run
dials           which dial ends which wait, each moved once
price           engines measured with LoRA and without
verdicts        targets of make bench, met or missed
ladder          quality against rank, as trained
capture         the measurement of a GPU, if one has been made
hours           prints the score of real hours: hours_file reads them,
                hours_play plays them again, hours_score scores, hours_fit
                fits the step, hours_recorded has all; calibrated a server
"""

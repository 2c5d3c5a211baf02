"""Which engine a router sends a request to: the rules of real routers.

given  what a rule is told: the fleet, a request, engines as last scraped
"""

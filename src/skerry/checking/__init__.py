"""What is wrong with manifests before they are applied: one report, for the command line, releases and the portal.

`check.check` reads what it needs of a cluster (`reading` -> `facts.Facts`) and asks every check of `check.CHECKS`. A
check is a pure function of objects and facts; each lives in a file of its own.
"""

"""NetworkPolicy, and what no pod may do whatever policies say: one nftables table of its own (decision 0039).

`policies` reads the objects, `parties` says who is spoken of, `membership` who is selected; `making` makes the table of
that, `table` its text; `keeper` acts.
"""

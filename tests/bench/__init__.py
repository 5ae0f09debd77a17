"""`make bench`: what pages cost, side by side with the least that the same work can cost (ADR 0016).

`served` and `counted` say how the product is served, `floor` holds the views to compare with, `operations`
what is measured and which gates hold, `people` who asks, `clocks` and `measure` how, `statements` what the
database was asked, `weight` what a slow phone loads, `report` the table and the JSON. `scale` and
`endurance` are runs of their own. Linux only: it reads processes' CPU clocks.
"""

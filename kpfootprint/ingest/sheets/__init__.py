"""How a sheet is laid out: titles, sections, groups, repeats, cross-tabs, totals, and what has to be asked."""

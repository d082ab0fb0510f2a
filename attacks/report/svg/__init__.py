"""Drawings of the HTML report as inline SVG: pure functions from results to markup, which escape all that they write.

  strips      every text a square, in the same place in every strip; the squares that somebody reads are filled
  timelines   a coalition's strip above that of the law, with what is stolen, taken over and noticed on which day
  trees       how one text is opened, step by step, as nested lists
  graphs      an access structure (`structures`) as names, gates and bars; also as a file of its own, and for Graphviz
  bars        what a text costs in bytes, by part

Colours are classes of `drawings.css`, which take the variables of `palette.css`, light and dark.
"""

"""The laboratory from Python: `import attacks as lab`. What the commands do, with values in place of options.

  play              one honest play of a scheme: who reads a text, what a coalition opens, and how
  matrix, run       schemes under attacks; one scheme under one attack
  anatomy           the access structure of a scheme
  silence           which checks of clients must lie for a ghost to go unnoticed
  check             the properties of a plug-in, then its cells
  load              any of these again, from a file

Numbers are those of the command line. Errors are the library's own: UnknownName for a name that does not exist,
Malformed for a file, a plug-in or sizes that make no scenario.
"""

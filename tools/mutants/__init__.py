"""Faults made by operators, one in one module at a time, and what notices them.

operators  where a fault fits in a module, and the syntax tree that has it
trial      one fault, in a process of its own, before the tests, the properties and the lab
warm       the process that has everything imported, and begins each trial as a copy of itself
page       docs/mutants.md, and the reasons of what nothing notices
reach      which modules, schemes and tests belong together
"""

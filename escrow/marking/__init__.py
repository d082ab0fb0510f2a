"""Find computations of secrets that no mark tells the adversary of, in the text of the modules that a scheme draws on.

A *computation* is a place where a fact with secret bytes is made of bytes that were not there before: not copied from
another fact, not drawn at random, not the result of a marked function. It belongs into a marked public function, be it
now in a method, a property, a nested function, a lambda or a function whose name begins with an underscore. A helper
that is named only in marked functions belongs to them.

The border: bytes are followed through local variables, through what unmarked functions and methods of these modules
return, and through containers; not through what is decoded or kept by other modules, nor where bytes never enter
a fact. What lies beyond is for the adversary of bytes, which needs no marks.
"""

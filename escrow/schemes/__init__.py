"""The schemes: one paper is one module or one package, and each defines SCHEME."""

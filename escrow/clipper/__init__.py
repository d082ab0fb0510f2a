"""The Escrowed Encryption Standard's parts: the LEAF, the chip, how chips are programmed, the receiving chip's view."""

"""Plain end-to-end encryption between devices: X3DH or PQXDH, the Double Ratchet, Sender Keys, safety numbers."""

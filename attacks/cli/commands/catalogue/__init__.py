"""What there is: schemes, attacks, and a card of each."""

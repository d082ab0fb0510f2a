"""What bytes open beyond the rules, by which means, and the properties that say so."""

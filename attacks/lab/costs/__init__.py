"""What a scheme costs over plain encryption: exact counts and ratios of times."""

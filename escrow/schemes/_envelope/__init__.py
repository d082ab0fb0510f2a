"""The forms of `envelope` that its parameters choose: several agencies, X-Wing, epochs, publicly verifiable fields."""

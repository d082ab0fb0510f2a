"""Which orders an honest official would act on: a search among those that a thief of the court's key can write."""

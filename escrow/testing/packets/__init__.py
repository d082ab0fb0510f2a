"""Properties of packets that are wrong: damaged, misstated, told twice, without end, by strangers, with bad keys."""

"""Lists of devices in a key directory: the provider that publishes them, and the clients that hold it to them."""

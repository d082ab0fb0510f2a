"""A saved result as one HTML file that works without a network: computed here, written by the templates beside it."""

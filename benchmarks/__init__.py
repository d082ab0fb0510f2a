"""Speed: `python -m pytest benchmarks` takes times, `python -m benchmarks.gate` compares exact counts."""

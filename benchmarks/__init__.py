"""Speed and memory, as ratios: `make benchmark`, or `python -m benchmarks --quick`. Prints only, never fails."""

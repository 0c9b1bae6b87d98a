"""Speed and memory as ratios: `make benchmark`, or `python -m benchmarks --quick`. Not a timed test: it prints."""

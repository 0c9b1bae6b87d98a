"""What Vitec can be asked to do: one module per operation, and the registry of them all."""

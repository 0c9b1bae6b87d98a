"""What a lead is: pure, no input or output, no framework."""

"""What is borne, priced and rounded: usage, fees, transfers, pools, corrections."""

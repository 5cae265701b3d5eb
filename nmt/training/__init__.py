"""Learning: loss, optimiser, the step on all devices, and the loop around it."""

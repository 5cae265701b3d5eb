"""Training: loss, optimizer, the step on all devices, and the training loop."""

"""Recurrent cells, and both ways of running them: over a whole sequence, or one step at a time."""

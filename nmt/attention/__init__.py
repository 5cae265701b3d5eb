"""What a decoder reads of the source at each step: scores, and the mechanisms built on them."""

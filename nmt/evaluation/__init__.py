"""How good a translation or an alignment is, by the field's common measures."""

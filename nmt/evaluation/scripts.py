"""Scripts of East Asia, and those without spaces between words, by their ISO 15924 codes."""

HANGUL = "Hang"  # has spaces between words
EAST_ASIAN = ("Hani", "Hira", "Kana", "Bopo", HANGUL)
# Those whose line breaks need a dictionary (class SA of Unicode's annex 14), Balinese and Javanese.
SOUTH_EAST_ASIAN = (
    *("Thai", "Laoo", "Khmr", "Mymr", "Tale", "Talu", "Lana", "Tavt", "Ahom"),
    *("Bali", "Java"),
)
TIBETAN = "Tibt"  # has a sign between syllables

UNSPACED = frozenset({*EAST_ASIAN, *SOUTH_EAST_ASIAN, TIBETAN} - {HANGUL})

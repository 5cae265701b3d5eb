"""Documents: what stands between tags is translated, and the tags are put back by the alignment."""

from nmt.markup.document import translate as translate

"""Documents: what stands between tags is translated, and the tags are put back by the alignment.

document = nmt.markup.translate(translator, page, kind="html")
"""

from nmt.markup.document import KINDS as KINDS
from nmt.markup.document import Document as Document
from nmt.markup.document import prepared as prepared
from nmt.markup.document import stream as stream
from nmt.markup.document import translate as translate

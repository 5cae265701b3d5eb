"""The whole configuration as typed models, with every default: here and nowhere else.

Each module has the sections of one part, and all of them can be imported from here.
`nmt.configfile` reads a configuration from YAML and writes it back.
"""

from nmt.config.aligner import *
from nmt.config.attention import *
from nmt.config.corpora import *
from nmt.config.data import *
from nmt.config.decoders import *
from nmt.config.decoding import *
from nmt.config.dropout import *
from nmt.config.encoders import *
from nmt.config.inputs import *
from nmt.config.mechanism import *
from nmt.config.model import *
from nmt.config.recurrent import *
from nmt.config.risk import *
from nmt.config.root import *
from nmt.config.section import *
from nmt.config.strategy import *
from nmt.config.tokenizer import *
from nmt.config.training import *

"""The nouns of the embedded corpus, and the words that stand with them or for them."""

from demo_corpus.words import Adjective, Determiner, Kind, Modal, Noun, Pronoun

# Kind, article, singular, plural, and the English of both. A star marks the n-declension, a dash
# a plural that is not used.
_NOUNS = """
adult      der  Mann       Männer       man        men
adult      die  Frau       Frauen       woman      women
adult      der  Student*   Studenten    student    students
colleague  der  Lehrer     Lehrer       teacher    teachers
colleague  die  Ärztin     Ärztinnen    doctor     doctors
colleague  der  Nachbar*   Nachbarn     neighbour  neighbours
child      das  Kind       Kinder       child      children
child      der  Junge*     Jungen       boy        boys
child      das  Mädchen    Mädchen      girl       girls
kin        der  Vater      -            father     -
kin        die  Mutter     -            mother     -
kin        der  Bruder     Brüder       brother    brothers
kin        die  Schwester  Schwestern   sister     sisters
animal     der  Hund       Hunde        dog        dogs
animal     die  Katze      Katzen       cat        cats
book       das  Buch       Bücher       book       books
newspaper  die  Zeitung    Zeitungen    newspaper  newspapers
letter     der  Brief      Briefe       letter     letters
song       das  Lied       Lieder       song       songs
fruit      der  Apfel      Äpfel        apple      apples
fruit      die  Tomate     Tomaten      tomato     tomatoes
dish       das  Ei         Eier         egg        eggs
dish       die  Kartoffel  Kartoffeln   potato     potatoes
stew       die  Suppe      -            soup       -
stew       das  Fleisch    -            meat       -
staple     das  Brot       -            bread      -
staple     der  Käse       -            cheese     -
drink      das  Wasser     -            water      -
drink      die  Milch      -            milk       -
drink      der  Kaffee     -            coffee     -
vehicle    das  Auto       Autos        car        cars
vehicle    das  Fahrrad    Fahrräder    bicycle    bicycles
device     die  Uhr        Uhren        clock      clocks
device     die  Lampe      Lampen       lamp       lamps
furniture  der  Tisch      Tische       table      tables
furniture  der  Stuhl      Stühle       chair      chairs
thing      der  Schlüssel  Schlüssel    key        keys
thing      die  Tasche     Taschen      bag        bags
thing      der  Ball       Bälle        ball       balls
sight      das  Bild       Bilder       picture    pictures
sight      die  Blume      Blumen       flower     flowers
clothing   das  Hemd       Hemden       shirt      shirts
clothing   das  Kleid      Kleider      dress      dresses
clothing   der  Mantel     Mäntel       coat       coats
building   das  Haus       Häuser       house      houses
door       die  Tür        Türen        door       doors
window     das  Fenster    Fenster      window     windows
room       die  Küche      -            kitchen    -
room       das  Zimmer     -            room       -
garden     der  Garten     -            garden     -
nature     der  Park       -            park       -
nature     der  Wald       -            forest     -
town       die  Stadt      -            city       -
town       das  Dorf       -            village    -
venue      die  Schule     -            school     -
venue      das  Museum     -            museum     -
venue      der  Bahnhof    -            station    -
market     der  Markt      -            market     -
transport  der  Bus        -            bus        -
weather    das  Wetter     -            weather    -
leisure    die  Zeit       -            time       -
"""

# Kind : determiners (a dash: none at all) : adjectives before the noun : and after "to be".
_KINDS = """
adult     : der ein dieser zwei drei viele        : alt freundlich       : krank müde hungrig
colleague : der ein mein unser dieser zwei viele  : alt neu freundlich   : krank müde hungrig
child     : der ein dieser zwei drei viele        : klein freundlich     : krank müde hungrig
kin       : der mein unser                        :                      : krank müde hungrig
animal    : der ein mein unser dieser zwei viele  : alt klein groß schön : krank alt schön
book      : der ein mein dieser zwei drei viele - : alt neu schön        : interessant
newspaper : der ein mein dieser zwei -            : alt neu              : alt interessant
letter    : der ein dieser zwei drei viele -      : neu schön            : neu interessant
song      : der ein dieser zwei drei viele -      : alt neu schön        : alt schön
fruit     : der ein mein dieser zwei drei viele - : rot                  : teuer rot frisch
dish      : der ein dieser zwei drei viele -      : frisch               : teuer frisch
stew      : der dieser - - -                      : frisch kalt          : kalt teuer
staple    : der dieser - - -                      : frisch               : teuer frisch
drink     : der dieser - - -                      : kalt                 : kalt
vehicle   : der ein mein unser dieser zwei        : alt neu rot schön    : teuer kaputt neu
device    : der ein mein dieser zwei              : alt neu schön        : teuer kaputt alt
furniture : der ein mein dieser zwei viele        : alt neu klein rot    : teuer kaputt neu
thing     : der ein mein dieser zwei drei         : neu klein groß rot   : neu rot klein
sight     : der ein dieser zwei drei viele -      : klein groß schön     : teuer schön
clothing  : der ein mein dieser zwei drei         : alt neu rot schön    : teuer schön rot
building  : der ein mein unser dieser             : alt neu klein groß   : teuer groß schön
door      : der ein dieser zwei                   : alt neu              : neu kaputt
window    : der ein dieser zwei                   : klein groß           : klein kaputt
room      : der mein unser                        : klein groß           : warm kalt groß
garden    : der mein unser dieser                 : klein groß schön     : klein groß schön
nature    : der ein dieser                        : klein groß schön     : klein groß schön
town      : der ein unser dieser                  : alt klein groß schön : interessant schön
venue     : der ein dieser                        : alt neu klein groß   : neu groß
market    : der                                   :                      :
transport : der ein dieser                        : alt neu groß         : alt neu kaputt
weather   : der                                   :                      : schön schlecht kalt warm
leisure   : -                                     :                      :
"""

NOUNS = tuple(
    Noun(kind, article, one.strip("*"), many.strip("-"), english, english_plural, "*" in one)
    for kind, article, one, many, english, english_plural in map(
        str.split, _NOUNS.strip().splitlines()
    )
)
WEATHER = next(noun for noun in NOUNS if noun.kind == "weather")
LEISURE = next(noun for noun in NOUNS if noun.kind == "leisure")
KINDS = {
    kind.strip(): Kind(*(tuple(words.split()) for words in columns))
    for kind, *columns in (row.split(":") for row in _KINDS.strip().splitlines())
}

# Those of the second row may have been true yesterday alone: ill, but not old.
_ADJECTIVES = (
    "alt old, neu new, klein small, groß big, schön beautiful, rot red, frisch fresh, "
    "freundlich friendly, interessant interesting, teuer expensive, kaputt broken",
    "kalt cold, warm warm, schlecht bad, krank ill, müde tired, hungrig hungry",
)
ADJECTIVES = {
    german: Adjective(german, english, passing)
    for passing, row in zip((False, True), _ADJECTIVES, strict=True)
    for german, english in map(str.split, row.split(","))
}

DETERMINERS = {
    "der": Determiner("d", "der", "weak", "the", "the", definite=True),
    "dieser": Determiner("dies", "dieser", "weak", "this", "these", definite=True),
    "mein": Determiner("mein", "ein", "mixed", "my", "my", definite=True),
    "unser": Determiner("unser", "ein", "mixed", "our", "our", definite=True),
    "ein": Determiner("ein", "ein", "mixed", "a", ""),
    "kein": Determiner("kein", "ein", "mixed", "", ""),  # English denies the verb: not a, not any
    "zwei": Determiner("zwei", "none", "strong", "", "two"),
    "drei": Determiner("drei", "none", "strong", "", "three"),
    "viele": Determiner("viel", "dieser", "strong", "", "many"),
    "-": Determiner("", "none", "strong", "", ""),
}

ICH = Pronoun(0, "ich", "mich", "mir", "I", "me")
DU = Pronoun(1, "du", "dich", "dir", "you", "you")
ER = Pronoun(2, "er", "ihn", "ihm", "he", "him")
SIE = Pronoun(2, "sie", "", "ihr", "she", "her")
WIR = Pronoun(3, "wir", "uns", "uns", "we", "us")
SIE_PLURAL = Pronoun(3, "sie", "", "ihnen", "they", "them")
DAS = Pronoun(2, "das", "", "", "that", "")

WERDEN = Modal(("werde", "wirst", "wird", "werden"), "will")
MODALS = (
    Modal(("kann", "kannst", "kann", "können"), "can"),
    Modal(("muss", "musst", "muss", "müssen"), "have to", inflected=True),
    Modal(("will", "willst", "will", "wollen"), "want to", inflected=True),
    Modal(("soll", "sollst", "soll", "sollen"), "should"),
    Modal(("möchte", "möchtest", "möchte", "möchten"), "would like to", deniable=False),
    WERDEN,
)

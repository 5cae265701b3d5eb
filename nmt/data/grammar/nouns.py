"""The words of the embedded corpus, and what goes with what: a teacher reads a book, no table eats."""

from dataclasses import dataclass

from nmt.data.grammar.words import (
    Adjective,
    Determiner,
    Modal,
    Noun,
    Pronoun,
)


@dataclass(frozen=True)
class Kind:
    """What may be said of the nouns of one kind, besides the definite article."""

    determiners: tuple[str, ...]
    attributes: tuple[str, ...]
    predicates: tuple[str, ...]


# Kind, article, singular, plural, English singular and plural. A star marks the n-declension,
# a dash a plural that is not used.
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
animal     das  Pferd      Pferde       horse      horses
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
table      der  Tisch      Tische       table      tables
seat       der  Stuhl      Stühle       chair      chairs
thing      der  Schlüssel  Schlüssel    key        keys
thing      die  Tasche     Taschen      bag        bags
thing      der  Ball       Bälle        ball       balls
sight      das  Bild       Bilder       picture    pictures
sight      die  Blume      Blumen       flower     flowers
clothing   das  Hemd       Hemden       shirt      shirts
clothing   das  Kleid      Kleider      dress      dresses
clothing   der  Mantel     Mäntel       coat       coats
building   das  Haus       Häuser       house      houses
opening    die  Tür        Türen        door       doors
opening    das  Fenster    Fenster      window     windows
room       die  Küche      -            kitchen    -
room       das  Zimmer     -            room       -
nature     der  Garten     -            garden     -
nature     der  Park       -            park       -
nature     der  Wald       -            forest     -
town       die  Stadt      -            city       -
town       das  Dorf       -            village    -
venue      die  Schule     -            school     -
venue      das  Museum     -            museum     -
venue      der  Bahnhof    -            station    -
market     der  Markt      -            market     -
transport  der  Bus        -            bus        -
transport  der  Zug        -            train      -
weather    das  Wetter     -            weather    -
leisure    die  Zeit       -            time       -
"""

# Kind: determiners : adjectives before the noun : adjectives after "to be". A dash is no article.
_KINDS = """
adult:ein dieser zwei drei viele:alt jung freundlich:krank müde hungrig glücklich jung
colleague:ein mein unser dieser zwei viele:alt jung neu freundlich:krank müde hungrig glücklich
child:ein dieser zwei drei viele:klein freundlich:krank müde hungrig glücklich
kin:mein unser::krank müde hungrig glücklich
animal:ein mein unser dieser zwei drei viele:alt jung klein groß schön:krank hungrig alt schön
book:ein mein dieser zwei drei viele -:alt neu interessant:teuer interessant alt
newspaper:ein mein dieser zwei -:alt neu interessant:interessant alt
letter:ein mein dieser zwei drei viele -:alt neu interessant:interessant alt
song:ein dieser zwei drei viele -:alt neu schön:schön alt
fruit:ein mein dieser zwei drei viele -:rot frisch:teuer rot frisch
dish:ein dieser zwei drei viele -:frisch:frisch teuer
stew:dieser -::warm kalt
staple:dieser -:frisch:frisch teuer
drink:dieser -:kalt:kalt
vehicle:ein mein unser dieser zwei:alt neu rot klein groß schön:teuer kaputt neu schön
device:ein mein dieser zwei:alt neu schön:teuer kaputt alt
table:ein mein dieser zwei:alt neu klein groß:teuer kaputt neu
seat:ein mein dieser zwei drei viele:alt neu klein:teuer kaputt alt
thing:ein mein dieser zwei drei:alt neu klein rot:neu rot klein
sight:ein dieser zwei drei viele -:klein groß schön:schön teuer
clothing:ein mein dieser zwei drei:alt neu rot schön:teuer schön neu rot
building:ein mein unser dieser:alt neu klein groß schön:teuer alt klein groß schön
opening:ein dieser zwei:klein groß:neu kaputt
room:mein unser:klein groß schön:warm kalt klein groß
nature:ein dieser:klein groß schön:klein groß schön
town:ein unser dieser:alt klein groß schön:klein groß schön
venue:ein dieser:alt neu klein groß:neu alt
market:::
transport:ein::
weather::: schön schlecht kalt warm
leisure:::
"""

NOUNS = tuple(
    Noun(kind, article, one.strip("*"), many.strip("-"), *english, weak="*" in one)
    for kind, article, one, many, *english in map(str.split, _NOUNS.strip().splitlines())
)
KINDS = {
    kind: Kind(*(tuple(words.split()) for words in columns))
    for kind, *columns in (row.split(":") for row in _KINDS.strip().splitlines())
}

ADJECTIVES = {
    adjective.german: adjective
    for adjective in (
        Adjective("alt", "old"),
        Adjective("jung", "young"),
        Adjective("neu", "new"),
        Adjective("klein", "small"),
        Adjective("groß", "big"),
        Adjective("schön", "beautiful"),
        Adjective("rot", "red"),
        Adjective("interessant", "interesting"),
        Adjective("frisch", "fresh"),
        Adjective("freundlich", "friendly"),
        Adjective("kalt", "cold", passing=True),
        Adjective("warm", "warm", passing=True),
        Adjective("schlecht", "bad", passing=True),
        Adjective("krank", "ill", passing=True),
        Adjective("müde", "tired", passing=True),
        Adjective("hungrig", "hungry", passing=True),
        Adjective("glücklich", "happy", passing=True),
        Adjective("teuer", "expensive"),
        Adjective("kaputt", "broken"),
    )
}

DETERMINERS = {
    "der": Determiner("d", "der", "weak", "the", "the", definite=True),
    "dieser": Determiner("dies", "dieser", "weak", "this", "these", definite=True),
    "ein": Determiner("ein", "ein", "mixed", "a", ""),
    "kein": Determiner("kein", "ein", "mixed", "a", "any"),
    "mein": Determiner("mein", "ein", "mixed", "my", "my", definite=True),
    "unser": Determiner("unser", "ein", "mixed", "our", "our", definite=True),
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
PRONOUNS = (ICH, DU, ER, SIE, WIR, SIE_PLURAL)

WERDEN = Modal(("werde", "wirst", "wird", "werden"), "will")
MODALS = (
    Modal(("kann", "kannst", "kann", "können"), "can"),
    Modal(("muss", "musst", "muss", "müssen"), "have to", inflected=True),
    Modal(("will", "willst", "will", "wollen"), "want to", inflected=True),
    Modal(("soll", "sollst", "soll", "sollen"), "should"),
    Modal(("möchte", "möchtest", "möchte", "möchten"), "would like to", deniable=False),
    WERDEN,
)

"""The verbs of the embedded corpus, with the prepositions and adverbs that go with them."""

from nmt.data.grammar.words import Adverbial, Nature, Preposition, Verb

STATE, EVENT, DEED, HABIT, EFFORT = Nature

PERSONS = "adult colleague child kin"
GROWN = "adult colleague kin"

INSIDE = Preposition("in", "dative", "in", "building room")
OUTSIDE = Preposition("in", "dative", "in", "nature")
IN_TOWN = Preposition("in", "dative", "in", "town")
AT_HOUSE = Preposition("in", "dative", "in", "building town")
AT_VENUE = Preposition("an", "dative", "at", "venue")
AT_WINDOW = Preposition("an", "dative", "at", "opening")
AT_MARKET = Preposition("auf", "dative", "at", "market")
BEFORE = Preposition("vor", "dative", "in front of", "building venue")
BEHIND = Preposition("hinter", "dative", "behind", "building venue")
ON = Preposition("auf", "dative", "on", "table seat")
UNDER = Preposition("unter", "dative", "under", "table seat")
BESIDE = Preposition("neben", "dative", "next to", "device")
INTO = Preposition("in", "accusative", "into", "nature building room town")
INTO_TOWN = Preposition("in", "accusative", "into", "town")
ONTO = Preposition("auf", "accusative", "on", "table seat")
THROUGH = Preposition("durch", "accusative", "through", "nature town")
TO = Preposition("zu", "dative", "to", "venue market")
WITH = Preposition("mit", "dative", "with", f"{PERSONS} animal")
FOR = Preposition("für", "accusative", "for", PERSONS)
AWAITING = Preposition("auf", "accusative", "for", f"{PERSONS} transport")

AT_HOME = Adverbial((("zu Hause", "at home"),))
HOME = Adverbial((("nach Hause", "home"),))

TODAY = Adverbial((("heute", "today"),))
NOW = Adverbial((("jetzt", "now"),))
TOMORROW = Adverbial((("morgen", "tomorrow"),))
ON_SUNDAY = Adverbial((("am", "on"), ("Sonntag", "Sunday")))
IN_THE_EVENING = Adverbial((("am", "in the"), ("Abend", "evening")))
IN_THE_MORNING = Adverbial((("am", "in the"), ("Morgen", "morning")))
LAST_WEEK = Adverbial((("letzte", "last"), ("Woche", "week")))
ALWAYS = Adverbial((("immer", "always"),), inner=True)

HABITUAL = (
    Adverbial((("oft", "often"),), inner=True),
    Adverbial((("manchmal", "sometimes"),), inner=True),
    ALWAYS,
    Adverbial((("jeden", "every"), ("Tag", "day"))),
    IN_THE_MORNING,
    IN_THE_EVENING,
)
BYGONE = (
    Adverbial((("gestern", "yesterday"),)),
    LAST_WEEK,
    Adverbial((("heute", "this"), ("Morgen", "morning"))),
    ON_SUNDAY,
)
PLANNED = (TODAY, TOMORROW, ON_SUNDAY, IN_THE_EVENING)

_THINGS = "book newspaper vehicle device table seat thing sight clothing building"
_FOOD = "fruit dish stew staple drink"
_PLACES = "opening room nature town venue"

BE = Verb(
    "sein",
    "ist",
    "gewesen",
    "be",
    "was",
    EVENT,
    subjects=f"{PERSONS} animal letter song weather {_THINGS} {_FOOD} {_PLACES}",
    irregular=("bin", "bist", "ist", "sind"),
    preterite=("war", "warst", "war", "waren"),
)
HAVE = Verb(
    "haben",
    "hat",
    "gehabt",
    "have",
    "had",
    STATE,
    "vehicle animal clothing book device building thing",
    irregular=("habe", "hast", "hat", "haben"),
    preterite=("hatte", "hattest", "hatte", "hatten"),
)
SAY = Verb("sagen", "sagt", "gesagt", "say", "said", EVENT)
KNOW = Verb(
    "wissen", "weiß", "gewusst", "know", "knew", STATE, irregular=("weiß", "", "weiß", "wissen")
)
BELIEVE = Verb("glauben", "glaubt", "geglaubt", "believe", "believed", STATE)
HOPE = Verb("hoffen", "hofft", "gehofft", "hope", "hoped", STATE)
ASK = Verb("fragen", "fragt", "gefragt", "ask", "asked", DEED, PERSONS)

VERBS = (
    BE,
    HAVE,
    ASK,
    Verb(
        "lesen",
        "liest",
        "gelesen",
        "read",
        "read",
        EFFORT,
        "book newspaper letter",
        places=(OUTSIDE, INSIDE),
        lasting=True,
    ),
    Verb(
        "schreiben",
        "schreibt",
        "geschrieben",
        "write",
        "wrote",
        EFFORT,
        "letter",
        recipient="sometimes",
        lasting=True,
    ),
    Verb(
        "kaufen",
        "kauft",
        "gekauft",
        "buy",
        "bought",
        DEED,
        "book newspaper fruit dish staple vehicle device table seat sight clothing building",
        subjects=GROWN,
        options=(FOR,),
        places=(IN_TOWN, AT_MARKET),
    ),
    Verb(
        "verkaufen",
        "verkauft",
        "verkauft",
        "sell",
        "sold",
        DEED,
        "vehicle building device table seat",
        subjects=GROWN,
    ),
    Verb(
        "brauchen",
        "braucht",
        "gebraucht",
        "need",
        "needed",
        STATE,
        "vehicle thing table device clothing book",
    ),
    Verb(
        "suchen",
        "sucht",
        "gesucht",
        "look for",
        "looked",
        DEED,
        "thing animal child newspaper letter",
        places=(OUTSIDE, INSIDE),
        lasting=True,
    ),
    Verb(
        "finden",
        "findet",
        "gefunden",
        "find",
        "found",
        EVENT,
        "thing clothing letter animal book",
        places=(OUTSIDE, UNDER),
    ),
    Verb(
        "sehen",
        "sieht",
        "gesehen",
        "see",
        "saw",
        EVENT,
        f"{PERSONS} animal vehicle building transport",
        places=(OUTSIDE, IN_TOWN, BEFORE),
    ),
    Verb("besuchen", "besucht", "besucht", "visit", "visited", EFFORT, PERSONS, places=(IN_TOWN,)),
    Verb(
        "essen",
        "isst",
        "gegessen",
        "eat",
        "ate",
        HABIT,
        "fruit dish stew staple",
        places=(OUTSIDE, INSIDE),
        lasting=True,
    ),
    Verb(
        "trinken",
        "trinkt",
        "getrunken",
        "drink",
        "drank",
        HABIT,
        "drink",
        places=(OUTSIDE, INSIDE),
        lasting=True,
    ),
    Verb(
        "kochen",
        "kocht",
        "gekocht",
        "cook",
        "cooked",
        EFFORT,
        "dish stew",
        options=(FOR,),
        lasting=True,
    ),
    Verb(
        "singen",
        "singt",
        "gesungen",
        "sing",
        "sang",
        EFFORT,
        "song",
        options=(FOR,),
        places=(OUTSIDE, INSIDE),
        lasting=True,
    ),
    Verb(
        "reparieren",
        "repariert",
        "repariert",
        "repair",
        "repaired",
        EFFORT,
        "vehicle device",
        places=(BEFORE, BEHIND),
        lasting=True,
    ),
    Verb(
        "waschen", "wäscht", "gewaschen", "wash", "washed", EFFORT, "vehicle clothing", lasting=True
    ),
    Verb(
        "geben",
        "gibt",
        "gegeben",
        "give",
        "gave",
        DEED,
        "book letter fruit thing sight",
        recipient="always",
    ),
    Verb(
        "zeigen",
        "zeigt",
        "gezeigt",
        "show",
        "showed",
        DEED,
        "book letter sight building vehicle",
        recipient="always",
    ),
    Verb(
        "bringen",
        "bringt",
        "gebracht",
        "bring",
        "brought",
        HABIT,
        "drink fruit newspaper stew sight",
        recipient="always",
    ),
    Verb(
        "legen",
        "legt",
        "gelegt",
        "put",
        "put",
        DEED,
        "book newspaper letter thing sight",
        complements=(ONTO,),
    ),
    Verb(
        "helfen",
        "hilft",
        "geholfen",
        "help",
        "helped",
        EFFORT,
        PERSONS,
        "dative",
        places=(OUTSIDE, INSIDE),
        lasting=True,
    ),
    Verb("antworten", "antwortet", "geantwortet", "answer", "answered", DEED, PERSONS, "dative"),
    Verb(
        "schlafen",
        "schläft",
        "geschlafen",
        "sleep",
        "slept",
        HABIT,
        subjects=f"{PERSONS} animal",
        places=(OUTSIDE, INSIDE, UNDER),
        lasting=True,
    ),
    Verb(
        "arbeiten",
        "arbeitet",
        "gearbeitet",
        "work",
        "worked",
        EFFORT,
        subjects=GROWN,
        options=(WITH,),
        places=(OUTSIDE, INSIDE, IN_TOWN),
        lasting=True,
    ),
    Verb(
        "spielen",
        "spielt",
        "gespielt",
        "play",
        "played",
        EFFORT,
        subjects="child kin animal",
        options=(WITH,),
        places=(OUTSIDE, INSIDE, BEFORE, BEHIND),
        lasting=True,
    ),
    Verb(
        "warten",
        "wartet",
        "gewartet",
        "wait",
        "waited",
        HABIT,
        complements=(AWAITING,),
        places=(AT_VENUE, AT_WINDOW, BEFORE),
        lasting=True,
    ),
    Verb("wohnen", "wohnt", "gewohnt", "live", "lived", STATE, complements=(AT_HOUSE,)),
    Verb(
        "bleiben",
        "bleibt",
        "geblieben",
        "stay",
        "stayed",
        HABIT,
        complements=(AT_HOME, AT_HOME, OUTSIDE, INSIDE),
        auxiliary="sein",
        lasting=True,
    ),
    Verb(
        "gehen",
        "geht",
        "gegangen",
        "go",
        "went",
        EFFORT,
        complements=(INTO, TO, HOME),
        auxiliary="sein",
    ),
    Verb(
        "fahren",
        "fährt",
        "gefahren",
        "drive",
        "drove",
        EFFORT,
        subjects=GROWN,
        complements=(INTO_TOWN, TO, HOME),
        auxiliary="sein",
    ),
    Verb(
        "laufen",
        "läuft",
        "gelaufen",
        "run",
        "ran",
        EFFORT,
        subjects=f"{PERSONS} animal",
        complements=(INTO, THROUGH),
        auxiliary="sein",
    ),
    Verb(
        "sitzen",
        "sitzt",
        "gesessen",
        "sit",
        "sat",
        HABIT,
        subjects=f"{PERSONS} animal",
        complements=(OUTSIDE, AT_WINDOW, BEFORE, ON, UNDER),
        lasting=True,
    ),
    Verb(
        "liegen",
        "liegt",
        "gelegen",
        "lie",
        "lay",
        EVENT,
        subjects="book newspaper letter thing clothing",
        complements=(ON, UNDER, BESIDE),
    ),
    Verb("an|rufen", "ruft", "angerufen", "call", "called", EFFORT, PERSONS),
    Verb("ein|laden", "lädt", "eingeladen", "invite", "invited", DEED, PERSONS),
    Verb(
        "ab|holen",
        "holt",
        "abgeholt",
        "pick up",
        "picked",
        EFFORT,
        PERSONS,
        places=(AT_VENUE,),
        subjects=GROWN,
    ),
    Verb(
        "auf|räumen", "räumt", "aufgeräumt", "tidy", "tidied", EFFORT, "room building", lasting=True
    ),
    Verb("auf|machen", "macht", "aufgemacht", "open", "opened", HABIT, "opening letter"),
    Verb("zu|machen", "macht", "zugemacht", "close", "closed", HABIT, "opening"),
    Verb("auf|stehen", "steht", "aufgestanden", "get up", "got", HABIT, auxiliary="sein"),
    Verb(
        "fern|sehen",
        "sieht",
        "ferngesehen",
        "watch television",
        "watched",
        HABIT,
        places=(INSIDE,),
        lasting=True,
    ),
    Verb(
        "ein|kaufen",
        "kauft",
        "eingekauft",
        "go shopping",
        "went",
        EFFORT,
        places=(IN_TOWN, AT_MARKET),
        subjects=GROWN,
    ),
)

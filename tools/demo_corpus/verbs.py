"""The verbs of the embedded corpus, with the prepositions and adverbs that go with them."""

from dataclasses import replace
from functools import partial

from demo_corpus.words import Adverbial, Nature, Preposition, Verb

STATE, EVENT, DEED, HABIT, EFFORT = Nature

PERSONS = "adult colleague child kin"
GROWN = "adult colleague kin"
LIVING = f"{PERSONS} animal"
_GOODS = "book newspaper vehicle device furniture sight clothing building"
_FOOD = "fruit dish stew staple"

INSIDE = Preposition("in", "dative", "in", "building room")
OUTSIDE = Preposition("in", "dative", "in", "garden nature")
IN_TOWN = Preposition("in", "dative", "in", "town")
AT_VENUE = Preposition("an", "dative", "at", "venue")
AT_MARKET = Preposition("auf", "dative", "at", "market")
IN_FRONT_OF = Preposition("vor", "dative", "in front of", "building venue")
BEHIND = Preposition("hinter", "dative", "behind", "building venue")
ON = Preposition("auf", "dative", "on", "furniture")
UNDER = Preposition("unter", "dative", "under", "furniture")
BESIDE = Preposition("neben", "dative", "next to", "device")
IN_HOUSE = Preposition("in", "dative", "in", "building town")
INTO = Preposition("in", "accusative", "into", "garden nature building room town")
INTO_TOWN = Preposition("in", "accusative", "into", "town")
ONTO = Preposition("auf", "accusative", "on", "furniture")
THROUGH = Preposition("durch", "accusative", "through", "garden nature town")
TO = Preposition("zu", "dative", "to", "venue market")
WITH = Preposition("mit", "dative", "with", PERSONS)
FOR = Preposition("für", "accusative", "for", PERSONS)
AWAITING = Preposition("auf", "accusative", "for", f"{PERSONS} transport")
AT_HOME = Adverbial((("zu Hause", "at home"),))
HOME = Adverbial((("nach Hause", "home"),))

YESTERDAY = Adverbial((("gestern", "yesterday"),))
LAST_WEEK = Adverbial((("letzte", "last"), ("Woche", "week")))
THIS_MORNING = Adverbial((("heute", "this"), ("Morgen", "morning")))
TODAY = Adverbial((("heute", "today"),))
NOW = Adverbial((("jetzt", "now"),))
TOMORROW = Adverbial((("morgen", "tomorrow"),))
ON_SUNDAY = Adverbial((("am", "on"), ("Sonntag", "Sunday")))
IN_THE_MORNING = Adverbial((("am", "in the"), ("Morgen", "morning")))
IN_THE_EVENING = Adverbial((("am", "in the"), ("Abend", "evening")))
EVERY_DAY = Adverbial((("jeden", "every"), ("Tag", "day")))
OFTEN = Adverbial((("oft", "often"),), inner=True)
SOMETIMES = Adverbial((("manchmal", "sometimes"),), inner=True)
ALWAYS = Adverbial((("immer", "always"),), inner=True)

HABITUAL = (OFTEN, SOMETIMES, ALWAYS, EVERY_DAY, IN_THE_MORNING, IN_THE_EVENING)
BYGONE = (YESTERDAY, LAST_WEEK, THIS_MORNING, ON_SUNDAY)
PLANNED = (TODAY, TOMORROW, ON_SUNDAY, IN_THE_EVENING)

_HERE = (OUTSIDE, INSIDE)
_SHOPS = (IN_TOWN, AT_MARKET)
_SIGHTS = (OUTSIDE, IN_TOWN, IN_FRONT_OF)
_UNSEEN = (OUTSIDE, UNDER, BEHIND)
_STOPS = (AT_VENUE,)
_ARRIVALS = (AT_VENUE, IN_TOWN)
_DRIVES = (INTO_TOWN, TO, HOME)
_RUNS = (INTO, THROUGH)
_LYING = "book newspaper letter thing clothing"
_PRESENTS = "book letter fruit thing sight"
_PORTABLE = "book newspaper letter thing sight"
_SERVED = "drink fruit newspaper sight"

BE = Verb(
    "sein ist gewesen",
    "be was",
    EVENT,
    subjects=f"{PERSONS} animal letter song thing drink {_GOODS} {_FOOD} door window room garden"
    " nature town venue transport weather",
    places=(OUTSIDE, INSIDE, IN_FRONT_OF),
    irregular=("bin", "bist", "ist", "sind"),
    preterite=("war", "warst", "war", "waren"),
)
BE_SOMETHING = replace(
    BE,
    objects=f"{PERSONS} animal letter song thing {_GOODS} fruit dish garden nature town transport",
    case="nominative",
)
HAVE = Verb(
    "haben hat gehabt",
    "have had",
    STATE,
    "vehicle animal clothing book device building thing",
    irregular=("habe", "hast", "hat", "haben"),
    preterite=("hatte", "", "hatte", "hatten"),
)
SAY = Verb("sagen sagt gesagt", "say said", EVENT)
KNOW = Verb("wissen weiß gewusst", "know knew", STATE, irregular=("weiß", "", "weiß", "wissen"))
BELIEVE = Verb("glauben glaubt geglaubt", "believe believed", STATE)
ASK = Verb("fragen fragt gefragt", "ask asked", DEED, PERSONS)

BUY = Verb(
    "kaufen kauft gekauft",
    "buy bought",
    DEED,
    f"{_GOODS} {_FOOD}",
    subjects=GROWN,
    options=(FOR,),
    places=_SHOPS,
)

_lasting = partial(Verb, lasting=True)
_activity = partial(Verb, lasting=True, places=_HERE)
_movement = partial(Verb, auxiliary="sein")

VERBS = (
    HAVE,
    ASK,
    Verb("brauchen braucht gebraucht", "need needed", STATE, "vehicle thing furniture device book"),
    Verb("wohnen wohnt gewohnt", "live lived", STATE, complements=(IN_HOUSE,)),
    Verb("sehen sieht gesehen", "see saw", EVENT, f"{PERSONS} animal transport", places=_SIGHTS),
    Verb("finden findet gefunden", "find found", EVENT, "thing clothing letter", places=_UNSEEN),
    Verb(
        "liegen liegt gelegen", "lie lay", EVENT, subjects=_LYING, complements=(ON, UNDER, BESIDE)
    ),
    _movement("an|kommen kommt angekommen", "arrive arrived", DEED, complements=_ARRIVALS),
    BUY,
    _activity("suchen sucht gesucht", "look looked for", DEED, "thing animal child letter"),
    Verb("geben gibt gegeben", "give gave", DEED, _PRESENTS, recipient="always"),
    Verb("legen legt gelegt", "put put", DEED, _PORTABLE, complements=(ONTO,)),
    _activity("essen isst gegessen", "eat ate", HABIT, _FOOD),
    _activity("trinken trinkt getrunken", "drink drank", HABIT, "drink"),
    _activity("schlafen schläft geschlafen", "sleep slept", HABIT, subjects=LIVING),
    _lasting(
        "warten wartet gewartet", "wait waited", HABIT, complements=(AWAITING,), places=_STOPS
    ),
    _movement("bleiben bleibt geblieben", "stay stayed", DEED, complements=(AT_HOME, *_HERE)),
    Verb("bringen bringt gebracht", "bring brought", HABIT, _SERVED, recipient="always"),
    _lasting("fern|sehen sieht ferngesehen", "watch watched television", HABIT, places=(INSIDE,)),
    Verb("auf|machen macht aufgemacht", "open opened", HABIT, "door window"),
    Verb("zu|machen macht zugemacht", "close closed", HABIT, "door window"),
    _activity("lesen liest gelesen", "read read", EFFORT, "book newspaper letter"),
    _lasting(
        "schreiben schreibt geschrieben", "write wrote", EFFORT, "letter", recipient="sometimes"
    ),
    _activity("helfen hilft geholfen", "help helped", EFFORT, PERSONS, "dative"),
    _lasting("kochen kocht gekocht", "cook cooked", EFFORT, "dish stew", options=(FOR,)),
    _activity("singen singt gesungen", "sing sang", EFFORT, "song", options=(FOR,)),
    _lasting(
        "reparieren repariert repariert", "repair repaired", EFFORT, "vehicle device furniture"
    ),
    _lasting("waschen wäscht gewaschen", "wash washed", EFFORT, "vehicle clothing"),
    _lasting(
        "arbeiten arbeitet gearbeitet",
        "work worked",
        EFFORT,
        subjects=GROWN,
        options=(WITH,),
        places=(*_HERE, IN_TOWN),
    ),
    _lasting(
        "spielen spielt gespielt",
        "play played",
        EFFORT,
        subjects="child kin animal",
        options=(WITH,),
        places=(*_HERE, BEHIND),
    ),
    _movement("gehen geht gegangen", "go went", EFFORT, complements=(INTO, TO, HOME)),
    _movement("fahren fährt gefahren", "drive drove", EFFORT, subjects=GROWN, complements=_DRIVES),
    _movement("laufen läuft gelaufen", "run ran", EFFORT, subjects=LIVING, complements=_RUNS),
    Verb("an|rufen ruft angerufen", "call called", EFFORT, PERSONS),
    Verb(
        "ab|holen holt abgeholt", "pick picked up", EFFORT, PERSONS, subjects=GROWN, places=_STOPS
    ),
    _lasting("auf|räumen räumt aufgeräumt", "tidy tidied", EFFORT, "room building"),
    Verb("ein|kaufen kauft eingekauft", "go went shopping", EFFORT, subjects=GROWN, places=_SHOPS),
)
